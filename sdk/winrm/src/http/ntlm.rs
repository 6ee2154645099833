//! NTLM of the `sspi` library as a connection uses it: three tokens, then sealed messages.

use sspi::{
    AuthIdentity, BufferType, ClientRequestFlags, CredentialUse, DataRepresentation,
    EncryptionFlags, Ntlm, SecurityBuffer, SecurityBufferRef, Sspi, SspiImpl, Username,
};

use crate::error::AttemptError;
use crate::settings::Settings;

/// Length of the signature of a sealed message, in bytes.
pub(super) const SIGNATURE_BYTES: usize = 16;

/// One NTLM login, and the keys that come out of it.
pub(super) struct NtlmLogin {
    ntlm: Ntlm,
    credentials: <Ntlm as SspiImpl>::CredentialsHandle,
    target: String,
}

fn failed(error: &sspi::Error) -> AttemptError {
    AttemptError::Ntlm(error.description.clone())
}

impl NtlmLogin {
    /// A login at `host`; `binding` ties it to the TLS connection.
    pub(super) fn new(
        settings: &Settings,
        host: &str,
        binding: Option<&[u8]>,
    ) -> Result<Self, AttemptError> {
        let username = Username::parse(&settings.user)
            .map_err(|error| AttemptError::Ntlm(format!("`winrm_username`: {error}")))?;
        let identity = AuthIdentity {
            username,
            password: settings.password.expose().clone().into(),
        };
        let mut ntlm = Ntlm::new();
        if let Some(binding) = binding {
            ntlm.set_channel_bindings(binding);
        }
        let acquired = ntlm
            .acquire_credentials_handle()
            .with_credential_use(CredentialUse::Outbound)
            .with_auth_data(&identity)
            .execute(&mut ntlm)
            .map_err(|error| failed(&error))?;
        Ok(Self {
            ntlm,
            credentials: acquired.credentials_handle,
            target: format!("HTTP/{host}"),
        })
    }

    /// The next token to send; `challenge` is what the server sent, none at first.
    pub(super) fn token(&mut self, challenge: Option<Vec<u8>>) -> Result<Vec<u8>, AttemptError> {
        let mut output = vec![SecurityBuffer::new(Vec::new(), BufferType::Token)];
        let mut input = vec![SecurityBuffer::new(
            challenge.unwrap_or_default(),
            BufferType::Token,
        )];
        let mut builder = self
            .ntlm
            .initialize_security_context()
            .with_credentials_handle(&mut self.credentials)
            .with_context_requirements(
                ClientRequestFlags::CONFIDENTIALITY
                    | ClientRequestFlags::INTEGRITY
                    | ClientRequestFlags::ALLOCATE_MEMORY,
            )
            .with_target_data_representation(DataRepresentation::Native)
            .with_target_name(&self.target)
            .with_input(&mut input)
            .with_output(&mut output);
        self.ntlm
            .initialize_security_context_impl(&mut builder)
            .and_then(|mut generator| generator.resolve_to_result())
            .map_err(|error| failed(&error))?;
        Ok(output.swap_remove(0).buffer)
    }

    /// Encrypts `message`; returns its signature and the encrypted bytes, which are as many.
    pub(super) fn seal(&mut self, message: &[u8]) -> Result<(Vec<u8>, Vec<u8>), AttemptError> {
        let mut signature = vec![0; SIGNATURE_BYTES];
        let mut data = message.to_vec();
        let mut buffers = [
            SecurityBufferRef::token_buf(&mut signature),
            SecurityBufferRef::data_buf(&mut data),
        ];
        self.ntlm
            .encrypt_message(EncryptionFlags::empty(), &mut buffers)
            .map_err(|error| failed(&error))?;
        Ok((signature, data))
    }

    /// Decrypts a message and checks its signature.
    pub(super) fn unseal(
        &mut self,
        signature: &[u8],
        message: &[u8],
    ) -> Result<Vec<u8>, AttemptError> {
        let mut signature = signature.to_vec();
        let mut data = message.to_vec();
        let mut buffers = [
            SecurityBufferRef::token_buf(&mut signature),
            SecurityBufferRef::data_buf(&mut data),
        ];
        self.ntlm
            .decrypt_message(&mut buffers)
            .map_err(|error| failed(&error))?;
        Ok(data)
    }
}
