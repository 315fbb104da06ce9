//! Every bound has a reason in its doc comment and is applied somewhere.

use super::finding::Finding;
use crate::repository::Text;

const LIMITS: &str = "crates/domain/src/limits.rs";

/// Constants of the limits file: documented, and used outside of it.
pub fn check(texts: &[Text]) -> Vec<Finding> {
    let Some(limits) = texts.iter().find(|text| text.path == LIMITS) else {
        return vec![Finding::file(LIMITS, "the file with every bound is missing")];
    };
    let mut findings = Vec::new();
    let mut documented = false;
    for (number, line) in limits.lines() {
        if let Some(rest) = line.strip_prefix("pub const ") {
            let name = rest.split(':').next().unwrap_or(rest).trim();
            if !documented {
                findings.push(Finding::line(LIMITS, number, format!("{name} lacks a doc comment with its reason")));
            }
            if !texts.iter().any(|text| applies(text, name)) {
                findings.push(Finding::line(LIMITS, number, format!("{name} bounds nothing: apply it or remove it")));
            }
        }
        documented = line.starts_with("///");
    }
    findings
}

fn applies(text: &Text, name: &str) -> bool {
    let product = text.path.starts_with("crates/") && text.path.contains("/src/") && text.is("rs");
    product
        && text.path != LIMITS
        && text.lines().any(|(_, line)| !line.trim_start().starts_with("//") && holds(line, name))
}

fn holds(line: &str, name: &str) -> bool {
    let joined = |character: char| character.is_alphanumeric() || character == '_';
    line.match_indices(name)
        .any(|(at, _)| !line[..at].ends_with(joined) && !line[at + name.len()..].starts_with(joined))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn undocumented_and_unused_bounds_are_found() {
        let limits =
            "/// Why.\npub const A_MAX: u8 = 1;\npub const B_MAX: u8 = 2;\n/// Why.\npub const C_MAX: u8 = 3;\n";
        let user = "use domain::limits::{A_MAX, B_MAX};\n// C_MAX\nlet x = C_MAX_TWICE;\n";
        let texts = [
            Text { path: LIMITS.into(), body: limits.into() },
            Text { path: "crates/web/src/a.rs".into(), body: user.into() },
        ];
        let said: Vec<String> = check(&texts).iter().map(ToString::to_string).collect();
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said[0].contains("B_MAX lacks") && said[1].contains("C_MAX bounds nothing"), "{said:?}");
    }
}
