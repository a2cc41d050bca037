//! License expressions: `(MIT OR Apache-2.0) AND Unicode-3.0`.
//!
//! Source: SPDX specification 2.3, Annex D. `WITH` binds tighter than `AND`, `AND` tighter than `OR`;
//! the slash of old manifests means `OR`.

/// Whether the expression can be satisfied with licenses that `is_allowed` accepts; a license with an
/// exception is asked for as `Apache-2.0 WITH LLVM-exception`. `None` when it is no expression.
pub(crate) fn is_satisfied(expression: &str, is_allowed: &dyn Fn(&str) -> bool) -> Option<bool> {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let tokens: Vec<&str> = spaced.split_whitespace().collect();
    let mut parser = Parser { tokens: &tokens, is_allowed };
    let result = parser.any_of()?;
    parser.tokens.is_empty().then_some(result)
}

struct Parser<'a> {
    tokens: &'a [&'a str],
    is_allowed: &'a dyn Fn(&str) -> bool,
}

impl<'a> Parser<'a> {
    fn any_of(&mut self) -> Option<bool> {
        let mut result = self.all_of()?;
        while self.skip("OR") {
            result |= self.all_of()?;
        }
        Some(result)
    }

    fn all_of(&mut self) -> Option<bool> {
        let mut result = self.one()?;
        while self.skip("AND") {
            result &= self.one()?;
        }
        Some(result)
    }

    fn one(&mut self) -> Option<bool> {
        if self.skip("(") {
            let result = self.any_of()?;
            return self.skip(")").then_some(result);
        }
        let license = self.name()?;
        if self.skip("WITH") {
            let exception = self.name()?;
            return Some((self.is_allowed)(&format!("{license} WITH {exception}")));
        }
        Some((self.is_allowed)(license))
    }

    fn name(&mut self) -> Option<&'a str> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        (!["AND", "OR", "WITH", "(", ")"].contains(first)).then_some(*first)
    }

    fn skip(&mut self, token: &str) -> bool {
        let is_next = self.tokens.first() == Some(&token);
        if is_next {
            self.tokens = &self.tokens[1..];
        }
        is_next
    }
}

#[cfg(test)]
mod tests {
    use super::is_satisfied;

    fn with_mit_and_zlib(expression: &str) -> Option<bool> {
        is_satisfied(expression, &|license| ["MIT", "Zlib"].contains(&license))
    }

    #[test]
    fn choice_needs_one_allowed_side() {
        assert_eq!(with_mit_and_zlib("GPL-3.0 OR MIT"), Some(true));
        assert_eq!(with_mit_and_zlib("GPL-3.0/MIT"), Some(true));
        assert_eq!(with_mit_and_zlib("GPL-3.0 OR MPL-2.0"), Some(false));
    }

    #[test]
    fn conjunction_needs_both_sides() {
        assert_eq!(with_mit_and_zlib("MIT AND Zlib"), Some(true));
        assert_eq!(with_mit_and_zlib("MIT AND GPL-3.0"), Some(false));
    }

    #[test]
    fn conjunction_binds_tighter_than_choice() {
        assert_eq!(with_mit_and_zlib("MIT OR GPL-3.0 AND MPL-2.0"), Some(true));
        assert_eq!(with_mit_and_zlib("(MIT OR GPL-3.0) AND MPL-2.0"), Some(false));
    }

    #[test]
    fn exception_makes_another_license() {
        assert_eq!(with_mit_and_zlib("MIT WITH LLVM-exception"), Some(false));
    }

    #[test]
    fn broken_expressions_are_none() {
        for broken in ["", "MIT OR", "(MIT", "MIT Zlib", "AND MIT", "MIT WITH", "MIT)"] {
            assert_eq!(with_mit_and_zlib(broken), None, "{broken}");
        }
    }
}
