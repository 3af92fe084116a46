use domain::ModelCard;
use domain::credits::Statement;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::PageError;

/// A page of the visitor's statement, and what can be had for credits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Account {
    pub statement: Statement,
    pub models: Vec<ModelCard>,
}

/// The visitor's account, with the entries before `before`, or the newest.
#[server(prefix = "/act", endpoint = "account")]
pub async fn read_account(before: Option<i64>) -> Result<Account, PageError> {
    let handles = crate::server::handles();
    let holder = crate::server::holder().await?;
    let statement = handles.credits.account(holder, before, 50).await?;
    Ok(Account { statement, models: handles.models.cards().await? })
}
