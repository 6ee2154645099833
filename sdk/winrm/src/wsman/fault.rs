//! Faults: how the service says no.

use super::answer::document;
use crate::error::AttemptError;

/// No output came within the time of the request; asking again is right.
const TIMED_OUT: u32 = 0x8033_8029;
/// The shell does not exist, or does not any more.
const SHELL_NOT_FOUND: u32 = 0x8033_805b;
/// A user has as many shells as allowed.
const MAX_SHELLS: u32 = 0x8033_81a5;
/// A user has as many operations as allowed.
const MAX_OPERATIONS: u32 = 0x8033_81a6;

/// The service refused a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fault {
    /// Windows' number of it, zero when there is none.
    pub code: u32,
    /// The standard's name of it, for example `QuotaLimit`.
    pub name: String,
    /// In the service's words.
    pub text: String,
}

impl Fault {
    pub(crate) fn is_timeout(&self) -> bool {
        self.code == TIMED_OUT || self.name == "TimedOut"
    }

    pub(crate) fn is_quota(&self) -> bool {
        matches!(self.code, MAX_SHELLS | MAX_OPERATIONS) || self.name == "QuotaLimit"
    }

    pub(crate) fn is_shell_gone(&self) -> bool {
        self.code == SHELL_NOT_FOUND || self.name == "InvalidSelectors"
    }

    fn hint(&self) -> &'static str {
        match self.code {
            MAX_SHELLS => {
                "; the guest's winrm/config/winrs MaxShellsPerUser is too low for what runs at once"
            }
            MAX_OPERATIONS => {
                "; the guest's winrm/config/service MaxConcurrentOperationsPerUser is too low"
            }
            _ if self.is_quota() => "; a quota of the guest's winrm/config is used up",
            5 => {
                "; the user is no administrator, or Windows takes remote rights from local users \
                  (LocalAccountTokenFilterPolicy)"
            }
            _ => "",
        }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = self.text.trim();
        let text = if text.is_empty() {
            self.name.as_str()
        } else {
            text
        };
        write!(f, "{}", text.trim_end_matches('.'))?;
        if self.code != 0 {
            write!(f, " (WSMan fault {})", self.code)?;
        }
        f.write_str(self.hint())
    }
}

/// The fault in an answer, if it is one.
///
/// # Errors
///
/// [`AttemptError::Protocol`] when the answer is no XML.
pub(crate) fn fault(text: &str) -> Result<Option<Fault>, AttemptError> {
    if !text.contains("Fault") {
        return Ok(None);
    }
    let document = document(text)?;
    let Some(fault) = document
        .descendants()
        .find(|node| node.tag_name().name() == "Fault")
    else {
        return Ok(None);
    };
    let inside = |name: &str| {
        let mut all = fault.descendants();
        all.find(|node| node.tag_name().name() == name)
    };
    let all_text = |node: roxmltree::Node<'_, '_>| -> String {
        let texts = node.descendants().filter(|node| node.is_text());
        let texts: Vec<&str> = texts
            .filter_map(|node| node.text())
            .map(str::trim)
            .collect();
        texts.join(" ")
    };
    let code = inside("WSManFault").and_then(|node| node.attribute("Code"));
    let name = inside("Subcode")
        .and_then(|node| node.first_element_child())
        .and_then(|node| node.text())
        .unwrap_or_default();
    let reason = inside("Text").map(all_text).unwrap_or_default();
    // Windows says the same in both places, but sometimes only in one.
    let text = if reason.is_empty() {
        inside("Message").map(all_text).unwrap_or_default()
    } else {
        reason
    };
    Ok(Some(Fault {
        code: code.and_then(|code| code.parse().ok()).unwrap_or_default(),
        name: name
            .rsplit(':')
            .next()
            .unwrap_or_default()
            .trim()
            .to_owned(),
        text,
    }))
}

#[cfg(test)]
mod tests {
    use super::fault;

    #[test]
    fn a_fault_has_number_name_and_words() {
        let text = "<s:Envelope xmlns:s='s' xmlns:f='f'><s:Body><s:Fault><s:Code><s:Value>s:Receiver</s:Value>\
            <s:Subcode><s:Value>w:QuotaLimit</s:Value></s:Subcode></s:Code><s:Reason><s:Text xml:lang='en-US'>\
            This user is allowed a maximum number of 5 concurrent shells. </s:Text></s:Reason><s:Detail>\
            <f:WSManFault Code='2150859173' Machine='h'><f:Message>x</f:Message></f:WSManFault></s:Detail>\
            </s:Fault></s:Body></s:Envelope>";
        let fault = fault(text).unwrap().unwrap();
        assert!(fault.is_quota());
        assert!(!fault.is_timeout());
        assert_eq!(
            fault.to_string(),
            "This user is allowed a maximum number of 5 concurrent shells (WSMan fault 2150859173); \
             the guest's winrm/config/winrs MaxShellsPerUser is too low for what runs at once"
        );
    }

    #[test]
    fn an_answer_that_mentions_faults_is_none() {
        let text = "<a><b>Fault tolerance</b></a>";
        assert_eq!(fault(text).unwrap(), None);
    }
}
