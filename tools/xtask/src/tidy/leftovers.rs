//! Words that must not stay behind: unfinished work, debug output, paths of somebody's machine.

use super::finding::Finding;
use crate::repository::Text;

/// Pieces are joined here so that this file does not find itself.
const UNFINISHED: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X:"),
    concat!("to", "do!("),
    concat!("unimpl", "emented!("),
    concat!("#[ign", "ore"),
    concat!("db", "g!("),
];

const MACHINE_PATHS: &[&str] =
    &[concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/Us", "ers/")];

/// Looks through everything but lock files and vendored assets.
pub fn check(texts: &[Text]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for text in texts.iter().filter(|text| !text.path.ends_with(".lock") && !text.path.contains("/assets/")) {
        for (number, line) in text.lines() {
            for word in UNFINISHED.iter().filter(|word| holds_word(line, word)) {
                findings.push(Finding::line(&text.path, number, format!("`{word}`: finish it or leave it out")));
            }
            for path in MACHINE_PATHS.iter().filter(|path| names_a_machine(line, path)) {
                findings.push(Finding::line(&text.path, number, format!("a path of one machine: `{path}`")));
            }
        }
    }
    findings
}

/// The word stands alone: no letter, digit or underscore right before it or, if it ends in a letter, after it.
fn holds_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let joined = |character: char| character.is_alphanumeric() || character == '_';
        let open_end = word.ends_with(char::is_alphanumeric);
        !(line[..at].ends_with(joined) || open_end && line[at + word.len()..].starts_with(joined))
    })
}

/// An absolute path, not a part of a longer one or of a URL.
fn names_a_machine(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        !line[..at].ends_with(|character: char| character.is_alphanumeric() || "._-*}/~$".contains(character))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(body: &str) -> usize {
        check(&[Text { path: "a.rs".into(), body: body.into() }]).len()
    }

    #[test]
    fn leftovers_are_found_and_longer_words_are_not() {
        for word in UNFINISHED {
            assert_eq!(findings(&format!("// {word} later")), 1, "{word}");
        }
        assert_eq!(findings("let MASTODON = PREFIXED;"), 0);
    }

    #[test]
    fn machine_paths_are_found_and_urls_are_not() {
        for path in MACHINE_PATHS {
            assert_eq!(findings(&format!("open(\"{path}x\")")), 1, "{path}");
            assert_eq!(findings(&format!("https://example.com{path}x")), 0, "{path}");
        }
    }
}
