//! What is wrong with a folder that was chosen.

use std::fs;
use std::path::Path;

/// Why captures cannot be written there. A folder that is missing is made with the first capture, and so are those
/// above it.
pub(crate) fn captures_problem(folder: &Path) -> Option<String> {
    if !folder.is_absolute() {
        return Some("write the full path of the folder".into());
    }
    let nearest = folder.ancestors().find(|folder| folder.exists())?;
    (!nearest.is_dir()).then(|| format!("{} is not a folder", nearest.display()))
}

/// Why captures from `captures` cannot be sent to a watched folder.
pub(crate) fn watched_problem(folder: &Path, captures: &Path) -> Option<String> {
    let problem = |what| Some(format!("the watched folder {} {what}", folder.display()));
    if !folder.is_absolute() {
        return problem("is a relative path; write the full path");
    }
    let Ok(real) = fs::canonicalize(folder) else {
        return problem("does not exist; create it or choose another one");
    };
    if !real.is_dir() {
        return problem("is not a folder");
    }
    // The watcher would see captures grow.
    if fs::canonicalize(captures).is_ok_and(|captures| captures == real) {
        return problem("is the folder of the captures; choose another one");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folder_of_captures_may_be_missing_as_may_those_above_it() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("file");
        fs::File::create(&file).unwrap();
        assert_eq!(captures_problem(root.path()), None);
        assert_eq!(captures_problem(&root.path().join("new")), None);
        assert_eq!(captures_problem(&root.path().join("new/er/still")), None);
        for folder in [file.clone(), file.join("new/er")] {
            assert!(captures_problem(&folder).unwrap().ends_with("/file is not a folder"));
        }
        assert!(captures_problem(Path::new("Takes")).is_some());
    }

    #[test]
    fn watched_folder_must_exist_and_be_another_than_that_of_the_captures() {
        let root = tempfile::tempdir().unwrap();
        let (captures, inbox) = (root.path().join("takes"), root.path().join("inbox"));
        fs::create_dir(&captures).unwrap();
        let problem = watched_problem(&inbox, &captures).unwrap();
        assert!(
            problem.ends_with("inbox does not exist; create it or choose another one"),
            "{problem}"
        );
        fs::create_dir(&inbox).unwrap();
        assert_eq!(watched_problem(&inbox, &captures), None);
        assert!(
            watched_problem(&captures, &captures).unwrap().contains("the folder of the captures")
        );
        assert!(watched_problem(Path::new("inbox"), &captures).is_some());
    }
}
