//! Several services on one stream.

use std::sync::Arc;

use async_trait::async_trait;

use crate::transport::{Expected, Fault, Service, Session, Wire, serve};

/// Services by their names, on one stream.
#[derive(Clone, Default)]
pub struct Services(Vec<Arc<dyn Service>>);

impl Services {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// These and one more.
    #[must_use]
    pub fn with(mut self, service: impl Service) -> Self {
        self.0.push(Arc::new(service));
        self
    }

    /// Offers the services on a new stream of `session` and returns its number. They are served
    /// until the other side closes the stream or the connection ends.
    #[must_use]
    pub fn offer(self, session: &Session) -> u32 {
        let (id, expected) = session.invite();
        self.serve(session, expected);
        id
    }

    /// The same for a stream whose number is known.
    pub fn serve(self, session: &Session, expected: Expected) {
        let ended = session.end().clone();
        let service: Arc<dyn Service> = Arc::new(self);
        drop(tokio::spawn(ended.run_until_cancelled_owned(async move {
            match expected.accept().await {
                Ok(stream) => serve(stream, service).await,
                Err(error) => tracing::debug!(%error, "services were not used"),
            }
        })));
    }
}

#[async_trait]
impl Service for Services {
    fn offers(&self, name: &str) -> bool {
        self.0.iter().any(|service| service.offers(name))
    }

    async fn call(&self, service: &str, method: &str, argument: Wire) -> Result<Wire, Fault> {
        let found = self.0.iter().find(|one| one.offers(service));
        match found {
            Some(one) => one.call(service, method, argument).await,
            None => Err(Fault::NoService),
        }
    }
}
