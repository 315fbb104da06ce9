//! The envelope of every problem, as it stands for ever.

use domain::problem::Problem;
use domain::random::Random;
use web::envelope::{Answer, Fault, Rejection, UniqIds};

#[test]
fn every_problem_keeps_its_envelope() {
    let ids = UniqIds::new(&Random::seeded(1));
    let mut text = String::new();
    for problem in Problem::ALL {
        let uniq_id = ids.next();
        let answer = Answer::refused(uniq_id, &Rejection::from(Fault::of(*problem, "parameter", "value \"%s\" ż")));
        let body = String::from_utf8(answer.body().to_vec()).unwrap();
        text.push_str(&format!("{} {}\n", answer.status(), body.replace(uniq_id.as_str(), "0000000000")));
    }
    insta::assert_snapshot!(text);
}

#[test]
fn what_was_passed_is_shortened() {
    let ids = UniqIds::new(&Random::seeded(1));
    let fault = Fault::of(Problem::SenderInvalid, "sender", &"ż".repeat(5_000));
    let answer = Answer::refused(ids.next(), &Rejection::from(fault));
    assert!(answer.body().len() < 600);
}
