//! Pages that have to be there: decisions in a row, a changelog that is kept, the example configuration.

use super::finding::Finding;
use crate::repository::Text;

/// Decision records numbered without a gap, CHANGELOG with an open part, config/example.toml in place.
pub fn check(texts: &[Text]) -> Vec<Finding> {
    let mut findings = decisions(texts);
    match texts.iter().find(|text| text.path == "CHANGELOG.md") {
        None => findings.push(Finding::file("CHANGELOG.md", "missing: keep one, with an Unreleased part")),
        Some(changelog)
            if !changelog.lines().any(|(_, line)| line.starts_with("## ") && line.contains("Unreleased")) =>
        {
            findings.push(Finding::file("CHANGELOG.md", "has no `## Unreleased` part for the next change"));
        }
        Some(_) => {}
    }
    for path in ["README.md", "ARCHITECTURE.md", "config/example.toml", ".ci/run"] {
        if !texts.iter().any(|text| text.path == path) {
            findings.push(Finding::file(path, "missing"));
        }
    }
    findings
}

fn decisions(texts: &[Text]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let pages = texts.iter().filter(|text| text.path.starts_with("docs/adr/") && text.is("md"));
    for (expected, page) in (1..).zip(pages.filter(|page| page.name() != "README.md")) {
        let digits: String = page.name().chars().take_while(char::is_ascii_digit).collect();
        let named = digits.len() == 4 && page.name()[4..].starts_with('-');
        if !named || digits.parse() != Ok(expected) {
            findings.push(Finding::file(
                &page.path,
                format!("decision records are named NNNN-words.md in a row; {expected:04} is next"),
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(path: &str, body: &str) -> Text {
        Text { path: path.into(), body: body.into() }
    }

    #[test]
    fn a_gap_in_the_decisions_and_a_closed_changelog_are_found() {
        let texts = [
            text(".ci/run", ""),
            text("ARCHITECTURE.md", ""),
            text("CHANGELOG.md", "## 0.1.0\n"),
            text("README.md", ""),
            text("config/example.toml", ""),
            text("docs/adr/0001-spans.md", ""),
            text("docs/adr/0003-lanes.md", ""),
        ];
        let said: Vec<String> = check(&texts).iter().map(ToString::to_string).collect();
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said[0].contains("0002 is next") && said[1].contains("Unreleased"), "{said:?}");
    }
}
