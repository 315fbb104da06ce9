//! Licences and bans of deny.toml, checked in a second on `cargo metadata`. The nightly run asks cargo-deny itself,
//! which also knows the advisories; building that tool takes longer than everything else here together.

use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::finding::Finding;
use crate::repository::Repository;

/// What cargo knows of every package in the lock file.
pub fn metadata(repository: &Repository) -> Result<Value> {
    let output = Command::new("cargo")
        .args(["metadata", "--format-version", "1", "--locked", "--all-features"])
        .current_dir(repository.root())
        .output()
        .context("can't run cargo metadata")?;
    if !output.status.success() {
        bail!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    serde_json::from_slice(&output.stdout).context("cargo metadata did not answer JSON")
}

/// Every package has an allowed licence, and no banned one is there.
pub fn check(metadata: &Value, deny: &str) -> Result<Vec<Finding>> {
    let deny: toml::Table = toml::from_str(deny).context("deny.toml can't be read")?;
    let allowed = strings(&deny["licenses"]["allow"]);
    let exceptions: Vec<(&str, Vec<String>)> = deny["licenses"]
        .get("exceptions")
        .and_then(toml::Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some((entry.get("crate")?.as_str()?, strings(entry.get("allow")?))))
        .collect();
    let banned: Vec<String> = deny["bans"]["deny"]
        .as_array()
        .context("deny.toml has no [bans] deny list")?
        .iter()
        .filter_map(|entry| entry.get("crate").and_then(toml::Value::as_str).map(str::to_owned))
        .collect();
    let empty = Vec::new();
    let mut findings = Vec::new();
    for package in metadata["packages"].as_array().unwrap_or(&empty) {
        let name = package["name"].as_str().unwrap_or_default();
        let licence = package["license"].as_str().unwrap_or("none stated");
        if banned.iter().any(|ban| ban == name) {
            findings.push(Finding::file("Cargo.lock", format!("{name} is banned in deny.toml; see the reason there")));
        }
        let excused = exceptions.iter().any(|(excepted, more)| *excepted == name && licence_allowed(licence, more));
        if !excused && !licence_allowed(licence, &allowed) {
            findings.push(Finding::file("Cargo.lock", format!("{name}: licence `{licence}` is not in deny.toml")));
        }
    }
    Ok(findings)
}

fn strings(value: &toml::Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(|entry| entry.as_str().map(str::to_owned)).collect()
}

/// Any of the alternatives will do, and each needs all of its parts; the old `/` means OR.
fn licence_allowed(expression: &str, allowed: &[String]) -> bool {
    let plain = expression.replace(['(', ')'], " ").replace('/', " OR ");
    // "A OR B AND C" with parentheses lost is read as alternatives of conjunctions, then as a conjunction of alternatives.
    let known = |licence: &str| allowed.iter().any(|entry| entry == licence.trim());
    let alternatives = plain.split(" OR ").any(|choice| choice.split(" AND ").all(known));
    let conjunction = plain.split(" AND ").all(|part| part.split(" OR ").any(known));
    alternatives && conjunction
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const DENY: &str = "[licenses]\nallow=[\"MIT\",\"ISC\"]\n[bans]\ndeny=[{crate=\"openssl\",reason=\"one TLS\"}]\n";

    #[test]
    fn licences_and_bans() {
        let package = |name: &str, licence: &str| json!({"name": name, "license": licence});
        let metadata = json!({"packages": [
            package("a", "MIT OR GPL-3.0"), package("b", "MIT/Apache-2.0"), package("c", "(MIT OR Apache-2.0) AND ISC"),
            package("d", "GPL-3.0"), package("e", "MIT AND GPL-3.0"), package("openssl", "MIT"),
        ]});
        let said: Vec<String> = check(&metadata, DENY).unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(said.len(), 3, "{said:?}");
        assert!(
            said[0].contains("d: licence") && said[1].contains("e: licence") && said[2].contains("openssl is banned")
        );
    }
}
