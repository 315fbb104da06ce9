//! Sizes of files, and roots of modules that hold declarations only.

use super::finding::Finding;
use crate::repository::Text;

const FILE_LINES_MAX: usize = 500;

/// Files up to 500 lines; `mod.rs` and `lib.rs` without logic.
pub fn check(texts: &[Text]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for text in texts.iter().filter(|text| text.is("rs")) {
        let lines = text.body.lines().count();
        if lines > FILE_LINES_MAX {
            findings
                .push(Finding::file(&text.path, format!("{lines} lines, at most {FILE_LINES_MAX}: split it by topic")));
        }
        // Cargo shares helpers between integration tests through tests/<folder>/mod.rs.
        let product = !text.path.contains("/fuzz/") && !text.path.contains("/tests/");
        if matches!(text.name(), "mod.rs" | "lib.rs") && product {
            findings.extend(logic(text));
        }
    }
    findings
}

fn logic(text: &Text) -> Vec<Finding> {
    text.lines()
        .filter(|(_, line)| holds_logic(line))
        .map(|(number, _)| {
            Finding::line(&text.path, number, "logic in a module root: move it to a file with a name of its own")
        })
        .collect()
}

fn holds_logic(line: &str) -> bool {
    let mut rest = line.trim_start();
    for modifier in ["pub(crate) ", "pub(super) ", "pub ", "const ", "async ", "default "] {
        rest = rest.strip_prefix(modifier).unwrap_or(rest);
    }
    ["fn ", "impl ", "impl<", "macro_rules!"].iter().any(|start| rest.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_files_and_logic_in_roots_are_found() {
        let long = Text { path: "crates/a/src/b.rs".into(), body: "x\n".repeat(FILE_LINES_MAX + 1) };
        let fits = Text { path: "crates/a/src/c.rs".into(), body: "x\n".repeat(FILE_LINES_MAX) };
        let root =
            Text { path: "crates/a/src/lib.rs".into(), body: "mod b;\npub async fn go() {}\nimpl A {}\n".into() };
        let findings = check(&[long, fits, root]);
        assert_eq!(findings.len(), 3, "{findings:?}");
    }
}
