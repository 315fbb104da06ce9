//! Links in a text that are to be shortened: found, checked, and where short ones are made.

use domain::limits::{LINKS_PER_MESSAGE_MAX, URL_LENGTH_MAX};
use domain::link::{LinkCodes, ShortLinks};
use domain::problem::Problem;
use linkify::{LinkFinder, LinkKind};

use super::check::detail;
use super::order::RefusalDetail;
use crate::follow;

/// Finds the links of `text`. Only what begins with `http://` or `https://` is one; punctuation at the end
/// belongs to the sentence.
pub(super) fn find(text: &str, base: &str, codes: &LinkCodes) -> Result<ShortLinks, Vec<RefusalDetail>> {
    let mut finder = LinkFinder::new();
    finder.kinds(&[LinkKind::Url]);
    let mut links = ShortLinks { base: base.into(), places: Default::default(), codes: codes.clone() };
    let mut wrong = Vec::new();
    let found = finder.links(text).map(|link| (link.start(), without_end_of_sentence(link.as_str())));
    for (start, link) in found.filter(|(_, link)| begins_as_url(link)) {
        if links.places.len() == LINKS_PER_MESSAGE_MAX {
            wrong.push(detail(Problem::LinksTooMany, "message", link));
            break;
        }
        if link.chars().count() > URL_LENGTH_MAX || follow::location(link).is_none() {
            wrong.push(detail(Problem::LinkInvalid, "message", link));
        }
        // A body is far below 4 GiB, so is a text.
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        links.places.push(place(start)..place(start + link.len()));
    }
    if wrong.is_empty() { Ok(links) } else { Err(wrong) }
}

/// The finder leaves out punctuation of ASCII at the end; quotation marks and the like are left to us.
fn without_end_of_sentence(link: &str) -> &str {
    let short = link.trim_end_matches(['”', '“', '„', '’', '‘', '‚', '»', '«', '…', '。', '，']);
    if short.len() == link.len() { link } else { short.trim_end_matches(['.', ',', ';', ':', '!', '?', ')']) }
}

fn begins_as_url(link: &str) -> bool {
    let begins = |scheme: &str| link.get(..scheme.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(scheme));
    begins("http://") || begins("https://")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let links = find(text, "https://s.example/", &LinkCodes::new([1; 32])).unwrap();
        (0..links.places.len()).map(|link| links.url(text, u8::try_from(link).unwrap()).unwrap().to_owned()).collect()
    }

    #[test]
    fn links_end_where_a_reader_would_end_them() {
        for (text, links) in [
            ("see http://a.example/x.", &["http://a.example/x"][..]),
            (
                "(https://a.example/w_(x)) and HTTPS://B.example?q=1!",
                &["https://a.example/w_(x)", "HTTPS://B.example?q=1"],
            ),
            (
                "Żółw:https://a.example/ż, „http://b.example/y.” »http://c.example«",
                &["https://a.example/ż", "http://b.example/y", "http://c.example"],
            ),
            ("https://a.example/x\nhttps://a.example/y", &["https://a.example/x", "https://a.example/y"]),
            ("http://127.0.0.1:8080/x", &["http://127.0.0.1:8080/x"]),
            ("www.a.example, ftp://a.example, mail@a.example, javascript:alert(1), http://", &[]),
            ("no link", &[]),
        ] {
            assert_eq!(found(text), links, "{text}");
        }
    }

    #[test]
    fn what_can_not_be_a_target_is_refused_by_name() {
        let codes = LinkCodes::new([1; 32]);
        let wrong = |text: &str| find(text, "https://s.example/", &codes).unwrap_err();
        let long = format!("x https://a.example/{}", "a".repeat(URL_LENGTH_MAX));
        for text in ["https://user:password@a.example/", "https://user@a.example/x", &long] {
            let refused = wrong(text);
            assert!(refused.len() == 1 && refused[0].problem == Problem::LinkInvalid, "{text}: {refused:?}");
            assert_eq!(refused[0].parameter, "message");
        }
        let many = "https://a.example/x ".repeat(LINKS_PER_MESSAGE_MAX + 1);
        assert_eq!(wrong(&many)[0].problem, Problem::LinksTooMany);
        let longest = format!("https://a.example/{}", "a".repeat(URL_LENGTH_MAX - 18));
        assert_eq!(found(&longest), [longest.as_str()]);
    }
}
