//! The answering end of a stream.

use std::sync::Arc;

use async_trait::async_trait;
use rmpv::Value as Wire;
use tokio::io::{AsyncWriteExt, BufReader, WriteHalf};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::{Request, Response, Stream};

/// Calls that are carried out at the same time; more wait.
const MAX_CALLS: usize = 256;
/// Answers that may wait to be written.
const QUEUE: usize = 16;

/// Why a call is not answered with a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// There is no such service.
    NoService,
    /// The service has no such method.
    NoMethod,
    /// The argument is not what the method takes.
    Argument,
    /// The method failed, in these words.
    Failed(String),
}

/// Something that answers calls.
#[async_trait]
pub trait Service: Send + Sync + 'static {
    /// Whether there is a service of this name here.
    fn offers(&self, name: &str) -> bool;

    /// Answers one call of a service that is offered. Several may be under way at once.
    ///
    /// # Errors
    ///
    /// [`Fault`], which the caller is told.
    async fn call(&self, service: &str, method: &str, argument: Wire) -> Result<Wire, Fault>;
}

/// Answers the calls of `stream` until the other side closes it, and lets those that are under way
/// end. Dropped, it gives them up.
pub async fn serve(stream: Stream, service: Arc<dyn Service>) {
    let (reader, writer) = tokio::io::split(stream);
    let (answers, queue) = mpsc::channel(QUEUE);
    let mut reader = BufReader::new(reader);
    let mut calls = JoinSet::new();
    let read = async {
        loop {
            let request = match Request::read(&mut reader).await {
                Ok(Some(request)) => request,
                Ok(None) => break,
                Err(error) => {
                    tracing::debug!(%error, "a stream of calls broke");
                    break;
                }
            };
            while calls.len() >= MAX_CALLS && calls.join_next().await.is_some() {}
            while calls.try_join_next().is_some() {}
            let (service, answers) = (Arc::clone(&service), answers.clone());
            calls.spawn(async move {
                let response = answer(&*service, request).await;
                // Nobody is told when the stream has ended.
                drop(answers.send(response.encode()).await);
            });
        }
        drop(answers);
        while calls.join_next().await.is_some() {}
    };
    tokio::join!(read, write(writer, queue));
}

async fn write(mut writer: WriteHalf<Stream>, mut queue: mpsc::Receiver<Vec<u8>>) {
    while let Some(message) = queue.recv().await {
        let written = async {
            writer.write_all(&message).await?;
            writer.flush().await
        };
        if let Err(error) = written.await {
            tracing::debug!(%error, "an answer could not be written");
            queue.close();
        }
    }
    if let Err(error) = writer.shutdown().await {
        tracing::trace!(%error, "a stream could not be closed");
    }
}

async fn answer(service: &dyn Service, request: Request) -> Response {
    let Request {
        method: name,
        sequence,
        argument,
    } = request;
    let outcome = match name.rsplit_once('.') {
        None => Err(format!("rpc: service/method request ill-formed: {name}")),
        // Names of services may have dots themselves.
        Some((service_name, method)) => {
            let outcome = if service.offers(service_name) {
                service.call(service_name, method, argument).await
            } else {
                Err(Fault::NoService)
            };
            outcome.map_err(|fault| match fault {
                Fault::NoService => format!("rpc: can't find service {name}"),
                Fault::NoMethod => format!("rpc: can't find method {name}"),
                Fault::Argument => format!("reading body: not an argument of {name}"),
                // An empty text would mean success.
                Fault::Failed(message) if message.is_empty() => "unknown error".to_owned(),
                Fault::Failed(message) => message,
            })
        }
    };
    Response {
        method: name,
        sequence,
        outcome,
    }
}
