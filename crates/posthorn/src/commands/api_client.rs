//! The API as a client sees it, for the commands that ask a running server.

use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use serde_json::Value;

use crate::console::{Colour, paint};

/// Where the API is and with which keys.
#[derive(Clone, Debug, Args)]
pub struct Api {
    /// Where the API is.
    #[arg(long, default_value = "http://127.0.0.1:8080", value_name = "URL", env = "POSTHORN_URL")]
    pub url: String,
    /// Value of the Authorization header.
    #[arg(long, env = "POSTHORN_AUTHORIZATION", hide_env_values = true)]
    pub authorization: String,
    /// Value of the Application-Key header.
    #[arg(long, env = "POSTHORN_APPLICATION_KEY", hide_env_values = true)]
    pub application_key: String,
}

impl Api {
    /// Asks; `body` makes it a POST.
    ///
    /// # Errors
    /// When nobody answers, or not in JSON.
    pub fn call(&self, path: &str, body: Option<&Value>) -> Result<Value> {
        let url = format!("{}{path}", self.url.trim_end_matches('/'));
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .timeout_global(Some(Duration::from_secs(30)))
            .build()
            .into();
        let keys = [("Authorization", &self.authorization), ("Application-Key", &self.application_key)];
        let unreachable = || format!("no answer from {url}: is the server running there?");
        let mut response = match body {
            Some(body) => {
                let request =
                    keys.iter().fold(agent.post(&url), |request, (name, value)| request.header(*name, value.as_str()));
                request.send_json(body).with_context(unreachable)?
            }
            None => {
                let request =
                    keys.iter().fold(agent.get(&url), |request, (name, value)| request.header(*name, value.as_str()));
                request.call().with_context(unreachable)?
            }
        };
        response.body_mut().read_json().with_context(|| format!("{url} did not answer JSON: is it a Posthorn server?"))
    }
}

/// Prints what was refused.
pub fn print_errors(answer: &Value) {
    for error in answer["errors"].as_array().into_iter().flatten() {
        let of = |field: &str| error[field].as_str().unwrap_or_default().to_owned();
        let value = error["meta"]["value"].as_str().filter(|value| !value.is_empty());
        let value = value.map(|value| format!(" (passed: {value})")).unwrap_or_default();
        eprintln!("{} {} {}: {}{value}", paint(Colour::Red, "refused"), of("code"), of("title"), of("message"));
    }
}
