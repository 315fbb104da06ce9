//! Who calls.

/// Users are looked for in this file.
const USERS: &str = "/etc/passwd";

/// The user whose process calls, as the kernel says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Number of the user.
    pub uid: u32,
    /// Name of the user, or `uid N` where it has none.
    pub name: String,
}

impl Caller {
    /// The user with this number.
    #[must_use]
    pub fn of(uid: u32) -> Self {
        let users = std::fs::read_to_string(USERS).unwrap_or_default();
        Self { uid, name: name_in(&users, uid).map_or_else(|| format!("uid {uid}"), str::to_owned) }
    }
}

/// The name of a user in the form of passwd(5).
fn name_in(users: &str, uid: u32) -> Option<&str> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, number) = (fields.next()?, fields.nth(1)?);
        (number.parse() == Ok(uid)).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_number() {
        let users = "root:x:0:0:root:/root:/bin/sh\n\nposthorn:x:991:991::/var/lib/posthorn:/usr/sbin/nologin\n";
        assert_eq!(name_in(users, 991), Some("posthorn"));
        assert_eq!(name_in(users, 99), None);
    }
}
