//! Every problem a client can meet, with its stable code.
//!
//! Classes: 1 the request itself, 2 authentication, 3 rights and account, 4 fields, 5 not found,
//! 6 conflicts, 7 too many, 9 the server. Codes never change their meaning; titles and messages
//! never contain text taken from a request (what was passed goes into `meta.value`).

macro_rules! problems {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $status:literal, $title:literal, $message:literal;)*) => {
        /// A kind of problem.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Problem { $(#[doc = $message] $name,)* }

        impl Problem {
            /// All of them, in the order of their codes.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable code, `E-<class>-<three digits>`.
            #[must_use]
            pub fn code(self) -> &'static str { match self { $(Self::$name => $code,)* } }

            /// The HTTP status it is answered with.
            #[must_use]
            pub fn http_status(self) -> u16 { match self { $(Self::$name => $status,)* } }

            /// A few words.
            #[must_use]
            pub fn title(self) -> &'static str { match self { $(Self::$name => $title,)* } }

            /// What is wrong and what is allowed.
            #[must_use]
            pub fn message(self) -> &'static str { match self { $(Self::$name => $message,)* } }

            /// Finds a problem by its code.
            #[must_use]
            pub fn by_code(code: &str) -> Option<Self> { match code { $($code => Some(Self::$name),)* _ => None } }
        }
    };
}

problems! {
    BodyNotJson = "E-1-001", 400, "Body is not JSON", "The body is empty, truncated or no JSON object. Send a JSON object in UTF-8.";
    BodyDamaged = "E-1-002", 400, "Body can't be decompressed", "The body does not match its Content-Encoding. Send it uncompressed or compressed with gzip, deflate, br or zstd.";
    BodyTimeout = "E-1-003", 400, "Body came too slowly", "The body did not arrive in time. Send the request again.";
    PathUnknown = "E-1-004", 404, "Path does not exist", "There is nothing at this path. See the API documentation for the paths of this version.";
    MethodNotAllowed = "E-1-005", 405, "Method not allowed", "This path does not answer this method. The Allow header lists those it answers.";
    BodyTooLarge = "E-1-006", 413, "Body too large", "The body is larger than 10 MiB, before or after decompression. Split the request.";
    MediaTypeUnsupported = "E-1-007", 415, "Media type not supported", "Send Content-Type: application/json, and Content-Encoding gzip, deflate, br, zstd or none.";
    HeadersInvalid = "E-1-008", 400, "Headers can't be read", "A header is malformed, too long or contradicts another one.";

    KeysMissing = "E-2-001", 401, "Keys missing", "Send both headers, Authorization and Application-Key, as they were given in the dashboard.";
    KeysWrong = "E-2-002", 401, "Keys not accepted", "The keys are wrong, expired or used from an address that is not allowed.";

    PermissionMissing = "E-3-001", 403, "Permission missing", "This key lacks the permission for the call. Add it in the dashboard under Account > API.";
    PriorityNotEnabled = "E-3-002", 403, "Priority lane not enabled", "The account does not have the Priority lane. Send without priority or have it enabled.";
    BalanceTooLow = "E-3-003", 403, "Balance too low", "The balance does not cover the price of this request. Nothing was sent; top up the account.";

    FieldMissing = "E-4-001", 422, "Field missing", "A required field is missing or null.";
    FieldWrongType = "E-4-002", 422, "Wrong type", "The field has the wrong JSON type.";
    SenderInvalid = "E-4-003", 422, "Sender invalid", "A sender has up to 11 letters, digits, spaces or .-_& characters, or up to 14 digits.";
    SenderNotAssigned = "E-4-004", 422, "Sender not assigned", "This key may not use this sender. GET /v2.1/sms/senders lists those it may use.";
    MessageEmpty = "E-4-005", 422, "Message empty", "The message needs at least one character.";
    MessageTooLong = "E-4-006", 422, "Message too long", "The message needs more than 9 parts (1377 GSM-7 units or 603 UCS-2 units). Shorten it; it is never cut.";
    RecipientsMissing = "E-4-007", 422, "No recipients", "phoneNumbers needs at least one number.";
    RecipientsTooMany = "E-4-008", 422, "Too many recipients", "phoneNumbers may hold up to 10,000 numbers. Split the request.";
    RecipientInvalid = "E-4-009", 422, "Phone number invalid", "A phone number is 7 to 15 digits with the country code first, with or without +.";
    RecipientRepeated = "E-4-010", 422, "Phone number repeated", "The number stands more than once in this request; it is sent to once.";
    RecipientUnroutable = "E-4-011", 422, "No route to this number", "No operator connection serves this number.";
    ValidityInvalid = "E-4-012", 422, "Validity out of range", "validity is 0 to 4320 minutes; 0 means the default.";
    ScheduleTooFar = "E-4-013", 422, "Scheduled too far ahead", "scheduleTime is a Unix time in seconds, at most 90 days ahead; 0 means now.";
    TypeInvalid = "E-4-014", 422, "Type unknown", "type is 0 (regular) or 1 (flash).";
    ExternalIdInvalid = "E-4-015", 422, "externalId invalid", "externalId has 1 to 64 characters from A-Z a-z 0-9 _ . : -";
    WebhookUrlInvalid = "E-4-016", 422, "webhookUrl not allowed", "webhookUrl is an absolute https URL (http where the server allows it) to a public host, without user or password.";
    ShortLinkUnavailable = "E-4-017", 422, "Short links not available", "This server has no domain for short links. Send without shortLink, or have the operator of the server set links.domain.";
    ParameterInvalid = "E-4-018", 422, "Parameter invalid", "A query parameter can't be read; its allowed values are in the API documentation.";
    IdempotencyKeyInvalid = "E-4-019", 422, "Idempotency-Key invalid", "Idempotency-Key has 1 to 255 visible ASCII characters.";
    ScheduleInvalid = "E-4-020", 422, "scheduleTime invalid", "scheduleTime is a Unix time in seconds, 0 or more.";
    EncodingInvalid = "E-4-021", 422, "Encoding unknown", "encoding is auto, gsm7-transliterated, gsm7-national or ucs2.";
    EncodingImpossible = "E-4-022", 422, "Can't be transliterated", "Nothing in GSM-7 can stand for this character of the message. Remove it or send with encoding auto.";
    EventIdInvalid = "E-4-023", 422, "eventId invalid", "eventIds holds 1 to 1,000 values of eventId as they were told.";
    LinkInvalid = "E-4-024", 422, "Link can't be shortened", "With shortLink every link in the message is an http or https URL of up to 2048 characters without user or password. Correct it or send without shortLink.";
    LinksTooMany = "E-4-025", 422, "Too many links", "With shortLink a message holds up to 10 links. Take some out or send without shortLink.";
    RecipientOptedOut = "E-4-026", 422, "Recipient opted out", "This person wants no messages from this sender (STOP). Take the entry off the opt-out list only when the person asks for it.";
    NotACode = "E-4-027", 422, "Not a one-time code", "More than 100 equal texts with a link within an hour are no one-time codes. Send them without priority.";
    PaceInvalid = "E-4-028", 422, "messagesPerHour invalid", "messagesPerHour is 1 to 3600000, or 0 for no limit. It does not go with priority, and the last message must be due within 90 days.";
    RecipientOnlyIndirect = "E-4-029", 422, "Only indirect ways to this number", "The route to this number asks for a direct operator connection and none serves it; ways over aggregators are not used.";
    SenderNotCarried = "E-4-030", 422, "Sender not carried to this number", "No operator connection to this number carries this kind of sender. Send with another sender, such as a long number.";

    NothingFound = "E-5-001", 404, "Nothing found", "No record matches the query.";
    MessageNotFound = "E-5-002", 404, "Message not found", "This account has no message with this externalId.";
    EventNotFound = "E-5-003", 404, "Event not found", "This account has no event with this eventId, or it is not kept any more.";
    LinkUnknown = "E-5-004", 404, "Link unknown", "There is nothing behind this link. It may have expired, or a character of it is missing or wrong.";
    EndpointUnknown = "E-5-005", 404, "No such webhook", "The account has no webhook for this kind of event.";
    NumberUnknown = "E-5-006", 404, "Number unknown", "Nothing is known of this number: no source names its network and it lies in no known range.";

    ExternalIdConflict = "E-6-001", 409, "externalId used before", "This externalId was used for a different request that is still remembered. Give each request its own.";
    IdempotencyKeyConflict = "E-6-002", 409, "Idempotency-Key used before", "This Idempotency-Key was used for a different request that is still remembered. Give each request its own.";
    RequestInProgress = "E-6-003", 409, "Request in progress", "The same request is being handled right now. Repeat it in a second.";
    NotCancellable = "E-6-004", 409, "Can't be cancelled any more", "The message has ended already.";
    EndpointFailed = "E-6-005", 409, "Webhook did not answer", "The test call was not answered 2xx. meta.value says what came instead.";
    EndpointNotOff = "E-6-006", 409, "Webhook is not off", "This webhook is called already; there is nothing to enable.";
    HandedOver = "E-6-007", 409, "Handed over already", "The operator has the message or a part of it, or is being given it right now: it can't be taken back.";

    TooManyRequests = "E-7-001", 429, "Too many messages", "The account's rate is used up. Repeat the request after the time in Retry-After.";
    TooManyAttempts = "E-7-002", 429, "Too many wrong keys", "Too many calls with wrong keys came from this address. Wait before trying again.";
    PriorityShareUsed = "E-7-003", 429, "Too many priority messages", "The account's share of the Priority lane is used up. Repeat the request after the time in Retry-After, or send without priority.";

    Internal = "E-9-001", 500, "Internal error", "Something went wrong here. Nothing was sent unless a repeated request says so; quote meta.uniqId to support.";
    Overloaded = "E-9-002", 503, "Overloaded", "The server can't take more right now. Nothing was accepted; repeat after the time in Retry-After.";
    StorageFull = "E-9-003", 503, "Storage full", "The server's disk is full. Nothing was accepted; repeat later.";
    ShuttingDown = "E-9-004", 503, "Shutting down", "The server is stopping. Nothing was accepted; repeat the request.";
    DataDamaged = "E-9-005", 500, "Stored data damaged", "A stored record failed its check and is not shown. The operator of the server has been told; quote meta.uniqId.";
    LookUpFailed = "E-9-006", 503, "Number can't be looked up", "The number-portability service does not answer. Repeat after the time in Retry-After.";
    Unconfirmed = "E-9-007", 503, "Not confirmed", "The server's disk does not answer, so the message may have been kept or not. Repeat the request after the time in Retry-After, with the same Idempotency-Key or externalId: then nothing is sent twice.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_well_formed() {
        let mut seen = std::collections::HashSet::new();
        for problem in Problem::ALL {
            let code = problem.code();
            assert!(seen.insert(code), "{code} twice");
            let parts: Vec<&str> = code.split('-').collect();
            assert!(parts.len() == 3 && parts[0] == "E" && parts[1].len() == 1 && parts[2].len() == 3, "{code}");
            assert!((400..=599).contains(&problem.http_status()));
            assert!(
                !problem.message().contains('%') && !problem.title().contains('%'),
                "{code} goes through format functions"
            );
            assert_eq!(Problem::by_code(code), Some(*problem));
        }
    }
}
