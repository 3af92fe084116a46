use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::PageError;

/// Where the visitor stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    pub given: bool,
    /// Credits a day with it, and without.
    pub ultra: u32,
    pub visitor: u32,
}

/// Whether the visitor has it already.
#[server(prefix = "/act", endpoint = "minds_eye")]
pub async fn minds_eye() -> Result<Standing, PageError> {
    let daily = crate::server::handles().credits.daily();
    let given = crate::server::holder().await?.is_some_and(|(_, plan)| plan == domain::Plan::Ultra);
    Ok(Standing { given, ultra: daily.ultra, visitor: daily.visitor })
}

/// Takes the visitor's word for it.
#[server(prefix = "/act", endpoint = "attest", client = crate::checks::CheckedClient)]
pub async fn attest() -> Result<(), PageError> {
    match crate::server::attest().await {
        Ok(()) => {
            crate::server::redirect_forms("/minds-eye");
            Ok(())
        }
        Err(error) => {
            crate::server::redirect_forms(&format!("/minds-eye?notice={}", error.code()));
            Err(error.into())
        }
    }
}
