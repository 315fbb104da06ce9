//! Clicks on short links: who may have clicked, told from what a request says of itself.

use std::fmt;
use std::net::IpAddr;

use crate::clock::UnixMillis;
use crate::id::{AccountId, MessageId};
use crate::link::LinkId;

/// A short link was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Click {
    /// Names the click; made by the id generator on the standard lane.
    pub id: MessageId,
    /// What was opened.
    pub link: LinkId,
    /// Whose message it stands in.
    pub account: AccountId,
    /// When.
    pub at: UnixMillis,
    /// What opened it.
    pub agent: Agent,
    /// Where from, as far as that is kept.
    pub network: Network,
}

/// What opened a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Agent {
    /// A browser on a phone.
    Phone,
    /// A browser on a tablet.
    Tablet,
    /// A browser on a computer.
    Computer,
    /// Something that says nothing we know.
    Other,
    /// A program that looks at links before people do: previews of chats, search engines, scanners.
    Bot,
    /// A look at the headers only (`HEAD`), or a load ahead of time that nobody asked for.
    Probe,
}

/// Parts of user agents, in lower case, of programs that open links for previews or indexes. iMessage
/// names itself facebookexternalhit and Twitterbot; Signal names itself WhatsApp.
const BOTS: [&str; 36] = [
    "whatsapp/",
    "facebookexternalhit",
    "facebookcatalog",
    "facebot",
    "meta-external",
    "skypeuripreview",
    "slack-imgproxy",
    "google-inspectiontool",
    "google-safety",
    "google-read-aloud",
    "googleimageproxy",
    "googleother",
    "mediapartners-google",
    "bingpreview",
    "yahoo! slurp",
    "vkshare",
    "kakaotalk-scrap",
    "line-poker",
    "snap url preview",
    "embedly",
    "iframely",
    "quora link preview",
    "pinterest/0.",
    "outbrain",
    "w3c_validator",
    "w3c-checklink",
    "chrome-lighthouse",
    "headlesschrome",
    "ia_archiver",
    "archive.org",
    "proofpoint",
    "barracuda",
    "mattermost",
    "rocket.chat",
    "nextcloud",
    "synapse",
];

impl Agent {
    /// All of them, in the order of their codes.
    pub const ALL: [Self; 6] = [Self::Phone, Self::Tablet, Self::Computer, Self::Other, Self::Bot, Self::Probe];

    /// Reads a `User-Agent` header.
    #[must_use]
    pub fn of(user_agent: &str) -> Self {
        let agent = user_agent.to_ascii_lowercase();
        let has = |part: &str| agent.contains(part);
        if BOTS.iter().any(|part| has(part)) || names_a_bot(&agent) {
            Self::Bot
        } else if has("ipad") || has("tablet") || (has("android") && !has("mobile")) {
            Self::Tablet
        } else if has("iphone") || has("android") || has("mobile") || has("phone") {
            Self::Phone
        } else if has("windows") || has("macintosh") || has("x11") || has("cros ") {
            Self::Computer
        } else {
            Self::Other
        }
    }

    /// Whether it counts as a click of a person.
    #[must_use]
    pub fn is_person(self) -> bool {
        !matches!(self, Self::Bot | Self::Probe)
    }

    /// The stable word used in lists and metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Tablet => "tablet",
            Self::Computer => "computer",
            Self::Other => "other",
            Self::Bot => "bot",
            Self::Probe => "probe",
        }
    }

    /// The number it is stored as.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// Reads what [`Agent::code`] wrote.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }
}

/// Whether a word of the user agent ends in "bot", "crawler" or "spider": what decent programs call
/// themselves (Telegrambot, Slackbot-LinkExpanding, Discordbot, LinkedInBot, Googlebot …).
fn names_a_bot(agent: &str) -> bool {
    let words = agent.split(|character: char| !character.is_ascii_alphanumeric());
    // Cubot makes phones.
    words.filter(|word| *word != "cubot").any(|word| ["bot", "crawler", "spider"].iter().any(|end| word.ends_with(end)))
}

/// The network an address belongs to: all that is kept of where a click came from.
///
/// IPv4 addresses lose their last 8 bits, IPv6 addresses all but their first 48.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network(IpAddr);

impl Network {
    /// The network of `address`.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(v4) => IpAddr::V4((v4.to_bits() & !0xff).into()),
            IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() >> 80 << 80).into()),
        })
    }

    /// Reads what [`Display`](fmt::Display) wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let network = Self::of(text.split_once('/')?.0.parse().ok()?);
        (network.to_string() == text).then_some(network)
    }
}

impl fmt::Display for Network {
    /// In CIDR form: `203.0.113.0/24`, `2001:db8:1::/48`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.0, if self.0.is_ipv4() { 24 } else { 48 })
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn previews_are_told_from_people() {
        for bot in [
            "WhatsApp/2.23.20.0 A",
            "TelegramBot (like TwitterBot)",
            "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
            "Slack-ImgProxy (+https://api.slack.com/robots)",
            "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
            "Twitterbot/1.0",
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36 (compatible; Googlebot/2.1)",
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, like Gecko) Version/9.0.1 Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0",
            "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
            "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
            "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5",
            "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
            "Mozilla/5.0 (Macintosh) AppleWebKit/600.2.5 Version/8.0.2 Safari/600.2.5 (Applebot/0.1)",
            "Baiduspider+(+http://www.baidu.com/search/spider.htm)",
        ] {
            assert_eq!(Agent::of(bot), Agent::Bot, "{bot}");
        }
        for (agent, expected) in [
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Version/17.5 Mobile/15E148 Safari/604.1",
                Agent::Phone,
            ),
            ("Mozilla/5.0 (Linux; Android 14; Pixel 8) Chrome/125.0 Mobile Safari/537.36", Agent::Phone),
            ("Mozilla/5.0 (Linux; Android 9; CUBOT_X18 Build/PPR1) Chrome/88.0 Mobile Safari/537.36", Agent::Phone),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 16_0 like Mac OS X) Mobile/15E148 [FBAN/FBIOS;FBAV/400.0]",
                Agent::Phone,
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 16_0 like Mac OS X) Mobile/15E148 Twitter for iPhone/9.0",
                Agent::Phone,
            ),
            ("Mozilla/5.0 (iPad; CPU OS 16_0 like Mac OS X) Version/16.0 Mobile/15E148 Safari/604.1", Agent::Tablet),
            ("Mozilla/5.0 (Linux; Android 13; SM-X700) Chrome/125.0 Safari/537.36", Agent::Tablet),
            ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:126.0) Gecko/20100101 Firefox/126.0", Agent::Computer),
            ("Mozilla/5.0 (X11; Linux x86_64) Chrome/125.0 Safari/537.36", Agent::Computer),
            ("curl/8.5.0", Agent::Other),
            ("", Agent::Other),
        ] {
            assert_eq!(Agent::of(agent), expected, "{agent}");
            assert!(expected.is_person());
        }
    }

    #[test]
    fn agents_read_back_and_only_people_count() {
        for agent in Agent::ALL {
            assert_eq!(Agent::from_code(agent.code()), Some(agent));
        }
        assert_eq!(Agent::from_code(6), None);
        assert_eq!(Agent::ALL.iter().filter(|agent| agent.is_person()).count(), 4);
    }

    #[test]
    fn addresses_are_cut_to_their_network() {
        for (address, network) in [
            ("203.0.113.77", "203.0.113.0/24"),
            ("::ffff:203.0.113.77", "203.0.113.0/24"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
            ("::1", "::/48"),
        ] {
            let cut = Network::of(address.parse().unwrap());
            assert_eq!((cut.to_string().as_str(), Network::parse(network)), (network, Some(cut)));
        }
        assert_eq!(Network::parse("203.0.113.77/24"), None, "more than a network");
        assert_eq!(Network::parse("203.0.113.0"), None);
    }
}
