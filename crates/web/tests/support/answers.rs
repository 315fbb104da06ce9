//! What the backend in memory says of messages and numbers.

use std::sync::Arc;

use domain::control::{Control, Mismatch, Route, RouteSettings};
use domain::id::{CarrierId, RouteId};
use domain::phone::Phone;
use domain::problem::Problem;
use domain::state::Status;
use flow::accept::Refusal;
use flow::explain::{Account as Explained, Basis, Writing};
use flow::health::{Standing, Trouble};
use flow::portability::{NetworkSource, NumberFacts};
use flow::route::{Considered, Explanation, Ruling};
use store::question::{MessageRecord, Step};

use super::fake::{NOW, detail, refusal};

/// One number is known whole, one by its range, and one can't be asked for.
pub fn number_facts(number: &str) -> Result<NumberFacts, Refusal> {
    let refused = |problem| refusal(vec![detail(problem, "phone", number)]);
    let phone = Phone::parse(number).map_err(|_| refused(Problem::RecipientInvalid))?;
    let network = "26006".parse().unwrap();
    let bare = NumberFacts { phone, network, name: None, ported: None, imsi: None, source: NetworkSource::NumberRange };
    match number.trim_start_matches('+') {
        "48500100200" => Ok(NumberFacts {
            name: Some("Play".into()),
            ported: Some(true),
            imsi: Some("260061234567890".into()),
            source: NetworkSource::LookUp,
            ..bare
        }),
        "48500100201" => Ok(bare),
        "48500100202" => Err(Refusal { retry_after_seconds: Some(10), ..refused(Problem::LookUpFailed) }),
        _ => Err(refused(Problem::NumberUnknown)),
    }
}

/// A message that was refused by one carrier and taken by another.
pub fn explained(record: &MessageRecord, control: &Arc<Control>) -> Explained {
    let writing = Writing::of(&record.text, Some(record.encoding));
    let step = |ms, kind: &str, part, carrier, status, detail: &str| Step {
        at: NOW.plus_ms(ms),
        kind: kind.into(),
        part,
        carrier: Some(CarrierId(carrier)),
        status,
        detail: detail.into(),
        raw: Box::default(),
    };
    let route = |id, prefix: &str, network: &str| {
        let (prefix, network, carriers) = (prefix.into(), network.into(), vec![CarrierId(1), CarrierId(2)]);
        Arc::new(Route { id: RouteId(id), prefix, network, carriers, settings: RouteSettings::default() })
    };
    let considered =
        |route, carrier: Option<u32>, ruling| Considered { route, carrier: carrier.map(CarrierId), ruling };
    let down = Ruling::InTrouble(Standing { share: 0, trouble: Trouble::Down });
    let considered = vec![
        considered(route(3, "", "26003"), None, Ruling::Mismatch(Mismatch::Lane)),
        considered(route(1, "48", ""), Some(1), down),
        considered(route(1, "48", ""), Some(2), Ruling::Taken),
        considered(route(2, "", ""), Some(3), Ruling::Gone),
    ];
    let network = Some(("26003".parse().unwrap(), NetworkSource::NumberRange));
    Explained {
        history: vec![
            step(900, "refused", 1, 1, None, "0x0008"),
            step(950, "rerouted", 0, 2, None, "down"),
            step(1_000, "submitted", 1, 2, Some(Status::Sent), "4711"),
            step(4_000, "receipt", 1, 2, Some(Status::Delivered), "000"),
        ],
        writing,
        control: Arc::clone(control),
        route: Explanation { control_version: 1, network, considered },
        basis: Basis::OtherControl,
        record: record.clone(),
    }
}
