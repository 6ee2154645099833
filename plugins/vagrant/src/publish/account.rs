//! Keys of HCP: short-lived ones for a client's identity and secret.
//!
//! # Source
//!
//! HCP's public Go client: the token endpoint, the audience, the variables of the environment.

use std::time::{Duration, Instant};

use kiln_sdk::{Failure, RunContext, Secret};
use reqwest::Client;
use tokio::sync::Mutex;

use super::service::answer;

const AUDIENCE: &str = "https%3A%2F%2Fapi.hashicorp.cloud";
/// A key is renewed this long before it ends.
const MARGIN: Duration = Duration::from_secs(60);
/// How long a key is good for when the service does not tell.
const USUAL_LIFE: u64 = 600;

/// An identity that gets keys when they are needed.
pub(super) struct Account {
    pub(super) client: Client,
    /// Address of the token endpoint.
    pub(super) token_url: String,
    pub(super) id: String,
    pub(super) secret: Secret<String>,
    pub(super) key: Mutex<Option<(Secret<String>, Instant)>>,
}

impl Account {
    /// A key that is good for a while; empty without an identity.
    pub(super) async fn key(&self, cx: &RunContext) -> Result<Secret<String>, Failure> {
        if self.id.is_empty() {
            return Ok(Secret::default());
        }
        let mut known = self.key.lock().await;
        if let Some((key, until)) = known.as_ref()
            && Instant::now() < *until
        {
            return Ok(key.clone());
        }
        let (key, life) = self.fetch(cx).await?;
        cx.secret(key.expose().as_str()).await;
        *known = Some((key.clone(), Instant::now() + life));
        Ok(key)
    }

    async fn fetch(&self, cx: &RunContext) -> Result<(Secret<String>, Duration), Failure> {
        let request = self
            .client
            .post(&self.token_url)
            .basic_auth(&self.id, Some(self.secret.expose()))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!("grant_type=client_credentials&audience={AUDIENCE}"));
        let answered = cx.until_cancelled(answer(request)).await?;
        let failed = |problem: String| {
            Failure::new(format!(
                "cannot log in to HCP at {}: {problem}",
                self.token_url
            ))
        };
        let answer = answered.map_err(failed)?;
        let key = answer.text("access_token");
        if !answer.is_success() || key.is_empty() {
            let reason = match answer.text("error_description") {
                "" => answer.text("error").to_owned(),
                description => description.to_owned(),
            };
            return Err(failed(match reason.is_empty() {
                true => answer.complaint(),
                false => reason,
            }));
        }
        let seconds = answer.body["expires_in"].as_u64().unwrap_or(USUAL_LIFE);
        let life = Duration::from_secs(seconds).saturating_sub(MARGIN);
        Ok((Secret::new(key.to_owned()), life))
    }
}
