//! Which addresses a webhook may reach. Pure: nothing is resolved or connected here.
//!
//! A customer chooses the URL, this server makes the call: without a guard a customer could reach the
//! internal network and the cloud's metadata service through it. What is judged is the address that is
//! connected to, never the text of the URL, since a name can mean anything at any moment.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;

use super::options::Options;

/// Why an address may not be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The address lies in a range that is not on the public internet.
    #[error("the address is not public ({0})")]
    NotPublic(&'static str),
    /// The configuration denies it.
    #[error("the address is denied by the configuration")]
    Denied,
    /// This server itself listens there.
    #[error("the address is this server itself")]
    OwnListener,
    /// Plain HTTP leaves the network readable.
    #[error("plain http is allowed for private addresses of the allow-list only: use https")]
    PlainHttp,
    /// The port is not one of webhooks.
    #[error("port {0} is not allowed for webhooks")]
    Port(u16),
}

/// Judges addresses by the configuration.
#[derive(Clone, Debug)]
pub struct Guard {
    allowed: Vec<IpNet>,
    denied: Vec<IpNet>,
    own_listeners: Vec<SocketAddr>,
    allow_http: bool,
    /// `None` = all.
    ports: Option<Vec<u16>>,
    /// Whether all private addresses may be reached.
    in_house: bool,
}

impl Guard {
    /// The guard of a configuration.
    #[must_use]
    pub fn new(options: &Options) -> Self {
        Self {
            allowed: options.allow_private_addresses.clone(),
            denied: options.deny_addresses.clone(),
            own_listeners: options.own_listeners.clone(),
            allow_http: options.allow_http,
            ports: Some(options.ports.clone()),
            in_house: false,
        }
    }

    /// For URLs that the operator of the server wrote into the configuration: private addresses are what he means,
    /// but plain HTTP must not leave his network.
    #[must_use]
    pub(crate) fn of_the_operator() -> Self {
        let (allowed, denied, own_listeners) = (Vec::new(), Vec::new(), Vec::new());
        Self { allowed, denied, own_listeners, allow_http: false, ports: None, in_house: true }
    }

    /// Whether some private addresses may be reached, so that names may turn out to be in-house.
    #[must_use]
    pub fn allows_private(&self) -> bool {
        self.in_house || !self.allowed.is_empty()
    }

    /// Judges one address that is about to be connected to.
    ///
    /// # Errors
    /// [`Refused`] with the rule that speaks against it.
    pub fn judge(&self, encrypted: bool, address: SocketAddr) -> Result<(), Refused> {
        let ip = address.ip().to_canonical();
        if self.own_listeners.iter().any(|own| is_own(*own, ip, address.port())) {
            return Err(Refused::OwnListener);
        }
        if contains(&self.denied, ip) {
            return Err(Refused::Denied);
        }
        if contains(&self.allowed, ip) {
            return Ok(());
        }
        if let Some(range) = not_public(ip) {
            return if self.in_house { Ok(()) } else { Err(Refused::NotPublic(range)) };
        }
        if !encrypted && !self.allow_http {
            return Err(Refused::PlainHttp);
        }
        if self.ports.as_ref().is_some_and(|ports| !ports.contains(&address.port())) {
            return Err(Refused::Port(address.port()));
        }
        Ok(())
    }
}

fn contains(networks: &[IpNet], ip: IpAddr) -> bool {
    networks.iter().any(|network| network.contains(&ip))
}

/// A listener on all addresses is met on every local one; the loopback ones are those that can be known.
fn is_own(listener: SocketAddr, ip: IpAddr, port: u16) -> bool {
    let listens_everywhere = listener.ip().is_unspecified() && (ip.is_loopback() || ip.is_unspecified());
    listener.port() == port && (listener.ip().to_canonical() == ip || listens_everywhere)
}

/// Names the range that keeps an address off the public internet, if there is one.
#[must_use]
pub fn not_public(ip: IpAddr) -> Option<&'static str> {
    match ip.to_canonical() {
        IpAddr::V4(ip) => not_public_v4(ip),
        IpAddr::V6(ip) => not_public_v6(ip),
    }
}

/// IANA's IPv4 special-purpose registry (RFC 6890), multicast and reserved space.
const DENIED_V4: [(Ipv4Addr, u8, &str); 15] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8, "this network"),
    (Ipv4Addr::new(10, 0, 0, 0), 8, "private"),
    (Ipv4Addr::new(100, 64, 0, 0), 10, "carrier NAT"),
    (Ipv4Addr::new(127, 0, 0, 0), 8, "loopback"),
    (Ipv4Addr::new(169, 254, 0, 0), 16, "link-local"),
    (Ipv4Addr::new(172, 16, 0, 0), 12, "private"),
    (Ipv4Addr::new(192, 0, 0, 0), 24, "protocol assignments"),
    (Ipv4Addr::new(192, 0, 2, 0), 24, "documentation"),
    (Ipv4Addr::new(192, 88, 99, 0), 24, "6to4 relay"),
    (Ipv4Addr::new(192, 168, 0, 0), 16, "private"),
    (Ipv4Addr::new(198, 18, 0, 0), 15, "benchmarking"),
    (Ipv4Addr::new(198, 51, 100, 0), 24, "documentation"),
    (Ipv4Addr::new(203, 0, 113, 0), 24, "documentation"),
    (Ipv4Addr::new(224, 0, 0, 0), 4, "multicast"),
    (Ipv4Addr::new(240, 0, 0, 0), 4, "reserved"),
];

fn not_public_v4(ip: Ipv4Addr) -> Option<&'static str> {
    let inside = |network: Ipv4Addr, prefix: u8| (ip.to_bits() ^ network.to_bits()) >> (32 - prefix) == 0;
    DENIED_V4.iter().find(|(network, prefix, _)| inside(*network, *prefix)).map(|(_, _, name)| *name)
}

/// What IANA's IPv6 special-purpose registry takes out of the global unicast space 2000::/3.
const DENIED_V6: [(Ipv6Addr, u8, &str); 5] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 32, "Teredo"),
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23, "protocol assignments"),
    (Ipv6Addr::new(0x2001, 0x0db8, 0, 0, 0, 0, 0, 0), 32, "documentation"),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16, "6to4"),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20, "documentation"),
];

/// Only 2000::/3 is global unicast: loopback, mapped, NAT64, unique local, link-local, site-local and
/// multicast addresses all lie outside. Tunnel forms are refused whatever they embed.
fn not_public_v6(ip: Ipv6Addr) -> Option<&'static str> {
    let segments = ip.segments();
    if segments[0] >> 13 != 1 {
        return Some(outside_global_unicast(segments[0]));
    }
    let inside = |network: Ipv6Addr, prefix: u8| (ip.to_bits() ^ network.to_bits()) >> (128 - prefix) == 0;
    if let Some((_, _, name)) = DENIED_V6.iter().find(|(network, prefix, _)| inside(*network, *prefix)) {
        return Some(name);
    }
    // ISATAP (RFC 5214 §6.1) carries an IPv4 address in the interface identifier of any prefix.
    let isatap = segments[5] == 0x5efe && segments[4] & !0x0200 == 0;
    isatap.then_some("ISATAP")
}

fn outside_global_unicast(first: u16) -> &'static str {
    match first {
        0 => "loopback, unspecified or IPv4-compatible",
        0x0064 => "NAT64",
        0x0100 => "discard",
        0x5f00 => "segment routing",
        _ if first & 0xfe00 == 0xfc00 => "unique local",
        _ if first & 0xffc0 == 0xfe80 => "link-local",
        _ if first & 0xffc0 == 0xfec0 => "site-local",
        _ if first & 0xff00 == 0xff00 => "multicast",
        _ => "not global unicast",
    }
}
