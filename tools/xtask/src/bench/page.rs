//! The report: a table for the terminal, a page for the documentation.

use super::figure::Figure;
use super::machine;

const HEADINGS: [&str; 6] = ["what", "figure", "budget", "", "ceiling (share)", "note"];

/// Begins what `--save` leaves as it is.
const NOTES: &str = "## Notes";

/// Lines for the terminal.
pub fn table(figures: &[Figure]) -> String {
    let mut table = String::new();
    for figure in figures {
        let [what, value, budget, verdict, ceiling, note] = figure.columns();
        table.push_str(&format!("{what:<56} {value:>18}  {budget:>9}  {verdict:<6}  {ceiling:<18} {note}\n"));
    }
    table
}

/// docs/performance.md.
pub fn page(figures: &[Figure], quick: bool) -> String {
    let command = if quick { "cargo xtask bench --quick --save" } else { "cargo xtask bench --save" };
    let mut page = format!(
        "# Performance\n\nWritten by `{command}` on {}, commit {}.\n\nMachine: {}. The load tool, the operator and the \
         webhook receiver run on the same cores; everything is on loopback, and every message is on stable storage before it \
         is answered. Absolute figures move with the machine, so each run measures its own ceilings first; CPU per message \
         is the steadiest.\n\n",
        machine::date(),
        machine::commit(),
        machine::describe()
    );
    if quick {
        page.push_str("These are figures of a quick run: short loads and a tenth of the heaps.\n\n");
    }
    page.push_str(&row(&HEADINGS.map(str::to_owned)));
    page.push_str("|---|---:|---:|---|---|---|\n");
    for figure in figures {
        page.push_str(&row(&figure.columns()));
    }
    page
}

/// The part of the page that a person wrote: from its heading to the end, with an empty line in front.
pub fn notes(page: &str) -> String {
    page.find(NOTES).map_or_else(String::new, |at| format!("\n{}", &page[at..]))
}

fn row(columns: &[String; 6]) -> String {
    format!("| {} |\n", columns.join(" | "))
}
