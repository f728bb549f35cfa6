//! Checkpoints of the ledger.
//!
//! Invariant: these are the members and the values that were signed, so that what is saved can be checked.

use purser_domain::basic::time::{Day, Time};
use purser_domain::money::checkpoint::{Part, PublicKey, Signature, WalletHead};
use purser_domain::money::credits::Credits;
use serde::Serialize;
use utoipa::ToSchema;

use super::{CreditsShape, DayShape, HashShape, PublicKeyShape, ResellerRefidShape, SequenceShape, SignatureShape};

/// Where a wallet's history stood.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WalletHead)]
pub struct WalletHeadShape {
    #[schema(value_type = ResellerRefidShape)]
    reseller: String,
    #[schema(value_type = SequenceShape)]
    sequence: u64,
    /// The hash of that entry; zeros before the first.
    #[schema(value_type = HashShape)]
    head: String,
    #[schema(value_type = CreditsShape)]
    balance: Credits,
}

impl From<&WalletHead> for WalletHeadShape {
    fn from(wallet: &WalletHead) -> Self {
        Self {
            reseller: wallet.reseller.to_string(),
            sequence: wallet.sequence,
            head: wallet.head.to_string(),
            balance: wallet.balance,
        }
    }
}

/// A part of a day's checkpoint, as it was signed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CheckpointPart)]
pub struct CheckpointPartShape {
    #[schema(value_type = DayShape)]
    date: Day,
    /// Its number within the day, from 1 without gaps.
    part: u32,
    /// Whether it is the last part of its day.
    last: bool,
    /// When its wallets had been read.
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
    wallets: Vec<WalletHeadShape>,
    #[schema(value_type = PublicKeyShape)]
    public_key: PublicKey,
    #[schema(value_type = SignatureShape)]
    signature: Signature,
}

impl From<&Part> for CheckpointPartShape {
    fn from(part: &Part) -> Self {
        Self {
            date: part.date,
            part: part.part,
            last: part.last,
            created_at: part.created_at,
            wallets: part.wallets.iter().map(WalletHeadShape::from).collect(),
            public_key: part.public_key,
            signature: part.signature,
        }
    }
}
