//! Shapes as SVG 1.1 with CSS colors.

use super::scene::{Anchor, Area, DASH, DASH_WIDTH, Scene, Shape, Spot, Text, Weight};
use super::theme::{Ink, Theme};
use std::fmt::Write as _;

const FONTS: &str = "system-ui,-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif";

/// An SVG document; `title` is the text for screen readers.
pub(super) fn write(scene: &Scene, theme: Theme, title: &str) -> String {
    let Scene { width, height, .. } = scene;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" role=\"img\">\n<title>{}</title>\n<style>{}</style>\n",
        escaped(title),
        style(theme)
    );
    for shape in &scene.shapes {
        write_shape(&mut svg, shape);
    }
    svg.push_str("</svg>\n");
    svg
}

fn style(theme: Theme) -> String {
    let mut css = format!(
        "text{{font-family:{FONTS};font-variant-numeric:tabular-nums}}\
         .m{{font-weight:500}}.e{{text-anchor:end}}.c{{text-anchor:middle}}\
         .l{{fill:none;stroke-linejoin:round;stroke-linecap:round}}"
    );
    css.push_str(&colors(theme));
    if theme == Theme::Auto {
        let _ = write!(css, "@media(prefers-color-scheme:dark){{{}}}", colors(Theme::Dark));
    }
    css
}

/// A class fills, on lines it strokes.
fn colors(theme: Theme) -> String {
    Ink::all().fold(String::new(), |mut css, ink| {
        let [red, green, blue] = ink.color(theme);
        let (class, color) = (ink.class(), format!("#{red:02x}{green:02x}{blue:02x}"));
        let _ = write!(css, ".{class}{{fill:{color}");
        if ink.opacity() < 1.0 {
            let _ = write!(css, ";fill-opacity:{}", ink.opacity());
        }
        let _ = write!(css, "}}.l.{class}{{fill:none;stroke:{color}}}");
        css
    })
}

fn write_shape(svg: &mut String, shape: &Shape) {
    match shape {
        Shape::Rectangle { area, radius, ink } => write_rectangle(svg, area, *radius, *ink),
        Shape::Polygon { spots, ink } => {
            let _ = writeln!(svg, "<path class=\"{}\" d=\"{}Z\"/>", ink.class(), path(spots));
        }
        Shape::Line { spots, width, ink } => {
            let (class, width) = (ink.class(), number(*width));
            let path = path(spots);
            let _ =
                writeln!(svg, "<path class=\"l {class}\" stroke-width=\"{width}\" d=\"{path}\"/>");
        }
        Shape::Dashes { start, length, ink } => {
            let _ = writeln!(
                svg,
                "<path class=\"l {}\" style=\"stroke-linecap:butt\" stroke-width=\"{}\" \
                 stroke-dasharray=\"{}\" d=\"M{} {}h{}\"/>",
                ink.class(),
                number(DASH_WIDTH),
                number(DASH),
                number(start.x),
                number(start.y),
                number(*length)
            );
        }
        Shape::Dots { spots, radius, ink } => {
            for Spot { x, y } in spots {
                let (x, y, r) = (number(*x), number(*y), number(*radius));
                let class = ink.class();
                let _ =
                    writeln!(svg, "<circle class=\"{class}\" cx=\"{x}\" cy=\"{y}\" r=\"{r}\"/>");
            }
        }
        Shape::Text(text) => write_text(svg, text),
    }
}

fn write_rectangle(svg: &mut String, area: &Area, radius: f64, ink: Ink) {
    let _ = write!(
        svg,
        "<rect class=\"{}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"",
        ink.class(),
        number(area.x),
        number(area.y),
        number(area.width),
        number(area.height)
    );
    if radius > 0.0 {
        let _ = write!(svg, " rx=\"{}\"", number(radius));
    }
    svg.push_str("/>\n");
}

fn write_text(svg: &mut String, text: &Text) {
    let anchor = match text.anchor {
        Anchor::Start => "",
        Anchor::Middle => " c",
        Anchor::End => " e",
    };
    let weight = if text.weight == Weight::Medium { " m" } else { "" };
    let _ = writeln!(
        svg,
        "<text class=\"{}{anchor}{weight}\" x=\"{}\" y=\"{}\" font-size=\"{}\">{}</text>",
        text.ink.class(),
        number(text.at.x),
        number(text.at.y),
        number(text.size),
        escaped(&text.content)
    );
}

/// A path in steps of a tenth of a pixel. Steps are differences of rounded places, so that errors do
/// not add up.
fn path(spots: &[Spot]) -> String {
    let mut path = String::new();
    let mut at = (0, 0);
    for (index, spot) in spots.iter().enumerate() {
        let next = (tenths(spot.x), tenths(spot.y));
        let (dx, dy) = (next.0 - at.0, next.1 - at.1);
        match index {
            0 => path.push('M'),
            1 => path.push('l'),
            _ if dx >= 0 => path.push(' '),
            _ => {}
        }
        push_tenths(&mut path, dx);
        if dy >= 0 {
            path.push(' ');
        }
        push_tenths(&mut path, dy);
        at = next;
    }
    path
}

#[expect(clippy::cast_possible_truncation, reason = "`as` saturates far outside of any picture")]
fn tenths(value: f64) -> i64 {
    (value * 10.0).round() as i64
}

/// A number without what need not be written: `.5`, `-3`, `12.1`.
fn push_tenths(text: &mut String, tenths: i64) {
    if tenths < 0 {
        text.push('-');
    }
    let (whole, part) = (tenths.abs() / 10, tenths.abs() % 10);
    if whole > 0 || part == 0 {
        let _ = write!(text, "{whole}");
    }
    if part > 0 {
        let _ = write!(text, ".{part}");
    }
}

fn number(value: f64) -> String {
    let mut text = String::new();
    push_tenths(&mut text, tenths(value));
    text
}

/// Text that XML can hold: markup escaped, characters that XML 1.0 (2.2) forbids replaced.
fn escaped(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, letter| {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => {
                out.push('\u{fffd}');
            }
            letter => out.push(letter),
        }
        out
    })
}
