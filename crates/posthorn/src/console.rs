//! What people see in the terminal.

use std::io::IsTerminal;

/// Colours of the terminal, where there is one.
#[derive(Clone, Copy, Debug)]
pub enum Colour {
    /// Good news.
    Green,
    /// Bad news.
    Red,
    /// To be noticed.
    Yellow,
    /// What goes out.
    Blue,
    /// What comes back.
    Cyan,
    /// Headings.
    Bold,
    /// By the way.
    Dim,
}

/// Whether colours are welcome: standard output is a terminal and NO_COLOR is not set.
pub fn has_colours() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}

/// `text` in a colour where colours are welcome.
pub fn paint(colour: Colour, text: &str) -> String {
    if !has_colours() {
        return text.to_owned();
    }
    let code = match colour {
        Colour::Green => 32,
        Colour::Red => 31,
        Colour::Yellow => 33,
        Colour::Blue => 34,
        Colour::Cyan => 36,
        Colour::Bold => 1,
        Colour::Dim => 2,
    };
    format!("\u{1b}[{code}m{text}\u{1b}[0m")
}

/// Prints an error and what led to it.
pub fn print_error(error: &anyhow::Error) {
    eprintln!("posthorn: {error:#}");
}

/// A span of seconds as people say it: `45s`, `12m`, `3h`, `2d`.
pub fn age(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m", seconds / 60),
        3_600..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}
