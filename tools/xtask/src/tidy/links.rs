//! Links between the pages of the repository lead somewhere.

use std::collections::HashSet;
use std::path::Path;

use super::finding::Finding;
use crate::repository::Text;

/// Relative links of every Markdown page: the file exists, and so does the heading after `#`.
pub fn check(root: &Path, texts: &[Text]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for page in texts.iter().filter(|text| text.is("md")) {
        let mut fenced = false;
        for (number, line) in page.lines() {
            fenced ^= line.trim_start().starts_with("```");
            if fenced {
                continue;
            }
            for target in targets(line) {
                if let Some(what) = problem(root, texts, page, target) {
                    findings.push(Finding::line(&page.path, number, what));
                }
            }
        }
    }
    findings
}

fn targets(line: &str) -> Vec<&str> {
    line.match_indices("](")
        .filter_map(|(at, _)| line[at + 2..].split(')').next())
        .filter(|target| !target.contains("://") && !target.starts_with("mailto:"))
        .collect()
}

fn problem(root: &Path, texts: &[Text], page: &Text, target: &str) -> Option<String> {
    let (file, anchor) = target.split_once('#').map_or((target, None), |(file, anchor)| (file, Some(anchor)));
    let folder = Path::new(&page.path).parent().unwrap_or_else(|| Path::new(""));
    let path = if file.is_empty() { page.path.clone() } else { normal(&folder.join(file)) };
    if !root.join(&path).exists() && !texts.iter().any(|text| text.path == path) {
        return Some(format!("link to `{target}`: there is no {path}"));
    }
    let anchor = anchor?;
    let known = texts.iter().find(|text| text.path == path).map(headings).unwrap_or_default();
    (path.ends_with(".md") && !known.contains(anchor))
        .then(|| format!("link to `{target}`: {path} has no such heading"))
}

fn normal(path: &Path) -> String {
    let mut parts: Vec<String> = Vec::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir => {
                parts.pop();
            }
            std::path::Component::CurDir => {}
            other => parts.push(other.as_os_str().to_string_lossy().into_owned()),
        }
    }
    parts.join("/")
}

/// Headings as the anchors that code hosts make of them.
fn headings(page: &Text) -> HashSet<String> {
    page.lines()
        .filter(|(_, line)| line.starts_with('#'))
        .map(|(_, line)| {
            let kept = line.trim_start_matches('#').trim().to_lowercase();
            kept.chars()
                .filter_map(|character| match character {
                    ' ' => Some('-'),
                    '-' | '_' => Some(character),
                    other => other.is_alphanumeric().then_some(other),
                })
                .collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dead_links_are_found() {
        let page = "[a](b.md) [c](../README.md#the-way-out) [d](gone.md) [e](b.md#nowhere) [f](https://x.y/z)\n```\n[g](no.md)\n```\n";
        let texts = [
            Text { path: "docs/a.md".into(), body: page.into() },
            Text { path: "docs/b.md".into(), body: "# Here\n".into() },
            Text { path: "README.md".into(), body: "## The way, out!\n".into() },
        ];
        let said: Vec<String> = check(Path::new("/nonexistent"), &texts).iter().map(ToString::to_string).collect();
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said[0].contains("gone.md") && said[1].contains("no such heading"), "{said:?}");
    }
}
