// Runs before the first paint: a chosen theme must not flash. Without a choice, the system's theme holds.
const theme = localStorage.getItem("theme");
if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
