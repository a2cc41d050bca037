//! Text of others inside markup.

use std::fmt;

/// Text that was written by others, as it may stand in an element or in a quoted attribute.
///
/// Markup is escaped. Control characters are replaced, and so are characters that change the direction of what
/// follows them: a tag could make a verdict read backward.
pub(super) struct Text<'a>(pub(super) &'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        for letter in self.0.chars() {
            match letter {
                '&' => formatter.write_str("&amp;")?,
                '<' => formatter.write_str("&lt;")?,
                '>' => formatter.write_str("&gt;")?,
                '"' => formatter.write_str("&quot;")?,
                '\'' => formatter.write_str("&#39;")?,
                '\n' | '\t' => formatter.write_char(' ')?,
                letter if is_forbidden(letter) => formatter.write_char('\u{fffd}')?,
                letter => formatter.write_char(letter)?,
            }
        }
        Ok(())
    }
}

/// Characters that a page may not hold, or that change how others read.
fn is_forbidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        || u32::from(letter) & 0xfffe == 0xfffe
        || matches!(letter, '\u{fdd0}'..='\u{fdef}')
}

/// Rows of a table of names and texts, as those of facts.
pub(super) fn definitions(rows: &[(&str, String)]) -> String {
    let rows = rows.iter().fold(String::new(), |rows, (name, text)| {
        rows + "<div><dt>" + name + "</dt><dd>" + text + "</dd></div>"
    });
    format!("<dl class=\"facts\">{rows}</dl>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_escaped() {
        let text = "<script>alert('1')</script> & \"x\"";
        assert_eq!(
            Text(text).to_string(),
            "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &amp; &quot;x&quot;"
        );
    }

    #[test]
    fn characters_that_turn_text_around_are_replaced() {
        assert_eq!(
            Text("a\u{202e}b\u{2066}c\0d\u{85}\u{fffe}").to_string(),
            "a\u{fffd}b\u{fffd}c\u{fffd}d\u{fffd}\u{fffd}"
        );
    }
}
