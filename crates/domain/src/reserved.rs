//! Words that belong to the person who writes: STOP, HELP and START, in many languages.
//!
//! They come before every keyword and every bot. A word counts when it is all that was written, or when
//! only a keyword follows it (`STOP ACME` on a number that several accounts share).

use crate::keyword::{fold, phrase};

/// What a person wants with a reserved word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wish {
    /// No more messages.
    Stop,
    /// Whose number is this?
    Help,
    /// Messages again.
    Start,
}

/// A language with its reserved words and the answers that are given where the account sets none.
#[derive(Debug)]
pub struct Language {
    /// ISO 639-1 code.
    pub code: &'static str,
    stop: &'static [&'static str],
    help: &'static [&'static str],
    start: &'static [&'static str],
    stop_answer: &'static str,
    help_answer: &'static str,
    start_answer: &'static str,
}

/// Languages in the order in which a word is looked up; English first, for STOP is STOP nearly everywhere.
/// The answers fit GSM 7-bit in one part.
pub const LANGUAGES: [Language; 10] = [
    Language {
        code: "en",
        stop: &["stop", "stopall", "stop all", "unsubscribe", "cancel", "end", "quit", "optout", "opt out", "revoke"],
        help: &["help", "info"],
        start: &["start", "unstop", "subscribe"],
        stop_answer: "You will get no more messages from {number}. Write START to get them again.",
        help_answer: "{account}: write STOP to get no more messages from {number}.",
        start_answer: "You will get messages from {number} again. Write STOP to end them.",
    },
    Language {
        code: "pl",
        stop: &["wypisz", "wypisz mnie", "rezygnuje", "rezygnacja", "koniec"],
        help: &["pomoc"],
        start: &["wznow", "zapisz"],
        stop_answer: "Nie bedziesz otrzymywac wiecej wiadomosci od {number}. Napisz START, aby je przywrocic.",
        help_answer: "{account}: napisz STOP, aby nie otrzymywac wiadomosci od {number}.",
        start_answer: "Znow bedziesz otrzymywac wiadomosci od {number}. Napisz STOP, aby je zakonczyc.",
    },
    Language {
        code: "de",
        stop: &["stopp", "abmelden", "abbestellen", "ende"],
        help: &["hilfe"],
        start: &["anmelden"],
        stop_answer: "Sie erhalten keine Nachrichten mehr von {number}. Mit START erhalten Sie sie wieder.",
        help_answer: "{account}: mit STOP erhalten Sie keine Nachrichten mehr von {number}.",
        start_answer: "Sie erhalten wieder Nachrichten von {number}. Mit STOP beenden Sie das.",
    },
    Language {
        code: "fr",
        stop: &["arret", "arreter", "desabonner", "desinscrire"],
        help: &["aide"],
        start: &["reprendre", "abonner"],
        stop_answer: "Vous ne recevrez plus de messages de {number}. Ecrivez START pour les recevoir de nouveau.",
        help_answer: "{account}: ecrivez STOP pour ne plus recevoir de messages de {number}.",
        start_answer: "Vous recevrez de nouveau les messages de {number}. Ecrivez STOP pour arreter.",
    },
    Language {
        code: "es",
        stop: &["alto", "baja", "parar", "cancelar"],
        help: &["ayuda"],
        start: &["alta", "iniciar"],
        stop_answer: "No recibira mas mensajes de {number}. Escriba START para recibirlos de nuevo.",
        help_answer: "{account}: escriba STOP para no recibir mas mensajes de {number}.",
        start_answer: "Recibira de nuevo mensajes de {number}. Escriba STOP para terminar.",
    },
    Language {
        code: "cs",
        stop: &["odhlasit", "zrusit", "konec"],
        help: &["napoveda"],
        start: &["prihlasit"],
        stop_answer: "Od {number} uz nedostanete zadne zpravy. Napiste START a budou chodit znovu.",
        help_answer: "{account}: napiste STOP a od {number} uz zpravy nedostanete.",
        start_answer: "Zpravy od {number} budou chodit znovu. Napiste STOP pro ukonceni.",
    },
    Language {
        code: "sk",
        stop: &["odhlasit", "zrusit", "koniec"],
        help: &["pomoc"],
        start: &["prihlasit"],
        stop_answer: "Od {number} uz nedostanete ziadne spravy. Napiste START a budu chodit znova.",
        help_answer: "{account}: napiste STOP a od {number} uz spravy nedostanete.",
        start_answer: "Spravy od {number} budu chodit znova. Napiste STOP pre ukoncenie.",
    },
    Language {
        code: "it",
        stop: &["basta", "cancella", "annulla", "disiscrivi"],
        help: &["aiuto"],
        start: &["inizia", "iscrivi"],
        stop_answer: "Non riceverai altri messaggi da {number}. Scrivi START per riceverli di nuovo.",
        help_answer: "{account}: scrivi STOP per non ricevere altri messaggi da {number}.",
        start_answer: "Riceverai di nuovo i messaggi da {number}. Scrivi STOP per terminare.",
    },
    Language {
        code: "nl",
        stop: &["afmelden", "uitschrijven", "einde"],
        help: &["hulp"],
        start: &["aanmelden"],
        stop_answer: "U ontvangt geen berichten meer van {number}. Stuur START om ze weer te ontvangen.",
        help_answer: "{account}: stuur STOP om geen berichten meer van {number} te ontvangen.",
        start_answer: "U ontvangt weer berichten van {number}. Stuur STOP om te stoppen.",
    },
    Language {
        code: "pt",
        stop: &["sair", "parar", "cancelar"],
        help: &["ajuda"],
        start: &["iniciar", "comecar"],
        stop_answer: "Nao recebera mais mensagens de {number}. Escreva START para as receber de novo.",
        help_answer: "{account}: escreva STOP para nao receber mais mensagens de {number}.",
        start_answer: "Recebera de novo mensagens de {number}. Escreva STOP para terminar.",
    },
];

impl Language {
    /// Finds a language by its code.
    #[must_use]
    pub fn by_code(code: &str) -> Option<&'static Self> {
        LANGUAGES.iter().find(|language| language.code == code)
    }

    /// The answer to a wish, with `{number}` and `{account}` to be filled in.
    #[must_use]
    pub fn answer(&self, wish: Wish) -> &'static str {
        match wish {
            Wish::Stop => self.stop_answer,
            Wish::Help => self.help_answer,
            Wish::Start => self.start_answer,
        }
    }

    fn wish(&self, phrase: &str) -> Option<Wish> {
        let lists = [(Wish::Stop, self.stop), (Wish::Help, self.help), (Wish::Start, self.start)];
        lists.into_iter().find(|(_, words)| words.contains(&phrase)).map(|(wish, _)| wish)
    }
}

/// A reserved word as it was found in a text.
#[derive(Clone, Debug)]
pub struct Reserved {
    /// What the person wants.
    pub wish: Wish,
    /// The language of the word.
    pub language: &'static Language,
    /// What followed the word, as it is compared; empty when nothing did. Only a keyword may.
    pub rest: String,
}

/// Reads a text for a reserved word in the languages that `spoken` names (all when it is empty). STOP, HELP
/// and START in English always count.
#[must_use]
pub fn read(text: &str, spoken: &[String], is_extra: impl Fn(&str) -> Option<Wish>) -> Option<Reserved> {
    let phrase = phrase(text);
    if phrase.is_empty() {
        return None;
    }
    if let Some(found) = exactly(&phrase, spoken, &is_extra) {
        return Some(found);
    }
    let (word, rest) = phrase.split_once(' ')?;
    let found = exactly(word, spoken, &is_extra)?;
    (!rest.contains(' ')).then(|| Reserved { rest: rest.to_owned(), ..found })
}

fn exactly(phrase: &str, spoken: &[String], is_extra: &impl Fn(&str) -> Option<Wish>) -> Option<Reserved> {
    let found = |wish, language| Some(Reserved { wish, language, rest: String::new() });
    if let Some(wish) = is_extra(phrase) {
        let language = spoken.first().and_then(|code| Language::by_code(code)).unwrap_or(&LANGUAGES[0]);
        return found(wish, language);
    }
    let always = [("stop", Wish::Stop), ("help", Wish::Help), ("start", Wish::Start)];
    if let Some((_, wish)) = always.into_iter().find(|(word, _)| *word == phrase) {
        let language = spoken.first().and_then(|code| Language::by_code(code)).unwrap_or(&LANGUAGES[0]);
        return found(wish, language);
    }
    let is_spoken = |language: &&Language| spoken.is_empty() || spoken.iter().any(|code| code == language.code);
    LANGUAGES.iter().filter(is_spoken).find_map(|language| found(language.wish(phrase)?, language))
}

/// Whether a keyword would take a reserved word's place.
#[must_use]
pub fn is_reserved(keyword: &str) -> bool {
    let folded = fold(keyword);
    LANGUAGES.iter().any(|language| language.wish(&folded).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(text: &str) -> Option<Wish> {
        read(text, &[], |_| None).map(|found| found.wish)
    }

    #[test]
    fn reserved_words_count_in_every_language_and_spelling() {
        for stop in
            ["STOP", "stop.", " Stop! ", "Arrêt", "ARRET", "odhlásit", "Rezygnuję", "ＳＴＯＰ", "stop all", "Stopp"]
        {
            assert_eq!(wish(stop), Some(Wish::Stop), "{stop}");
        }
        for help in ["help", "Pomoc", "HILFE", "aide", "Ayuda", "nápověda"] {
            assert_eq!(wish(help), Some(Wish::Help), "{help}");
        }
        assert_eq!(wish("START"), Some(Wish::Start));
        for other in ["", "stop by at five", "please help me now", "restart", "stopper", "..."] {
            assert_eq!(wish(other), None, "{other}");
        }
    }

    #[test]
    fn one_word_may_follow_and_languages_can_be_chosen() {
        let found = read("STOP Acme", &[], |_| None).unwrap();
        assert_eq!((found.wish, found.rest.as_str()), (Wish::Stop, "acme"));
        let polish = ["pl".to_owned()];
        assert!(read("ende", &polish, |_| None).is_none(), "German is not spoken");
        let found = read("stop", &polish, |_| None).unwrap();
        assert_eq!(found.language.code, "pl", "the answer comes in the account's language");
        assert!(read("kuniec", &polish, |word| (word == "kuniec").then_some(Wish::Stop)).is_some());
    }

    #[test]
    fn words_are_written_as_they_are_compared_and_answers_take_one_part() {
        for language in &LANGUAGES {
            for word in language.stop.iter().chain(language.help).chain(language.start) {
                assert_eq!(phrase(word), **word, "{}", language.code);
            }
            for wish in [Wish::Stop, Wish::Help, Wish::Start] {
                let answer = language.answer(wish).replace("{number}", "48500100200").replace("{account}", "acme");
                assert_eq!(text::measure(&answer, text::ReferenceWidth::Bits8).parts, 1, "{answer}");
            }
        }
    }

    #[test]
    fn no_word_means_two_things_in_one_language() {
        for language in &LANGUAGES {
            let all: Vec<_> = language.stop.iter().chain(language.help).chain(language.start).collect();
            let distinct: std::collections::HashSet<_> = all.iter().collect();
            assert_eq!(all.len(), distinct.len(), "{}", language.code);
        }
    }
}
