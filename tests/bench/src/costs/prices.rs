//! AWS's prices.
//!
//! Invariant: every price is stated once, here, as a whole number of micro-dollars for a whole number of units, so
//! that no computation involves fractions. These are the list prices of us-east-1, without free tiers and in the
//! first volume tier.

pub const TAKEN: &str = "2026-11-23";

/// The number of bytes that AWS bills as a GB.
const GB: u128 = 1 << 30;

/// A price of `micro_dollars` for `units`.
#[derive(Debug)]
pub struct Price {
    /// The name of the thing in the report.
    pub what: &'static str,
    /// The price as AWS's page states it.
    pub listed: &'static str,
    pub page: &'static str,
    pub micro_dollars: u128,
    pub units: u128,
}

impl Price {
    /// The price of this many units in micro-dollars, rounded up.
    pub const fn of(&self, units: u128) -> u128 {
        (units * self.micro_dollars).div_ceil(self.units)
    }
}

/// One request to an HTTP API, of up to 512 KB.
pub const HTTP_REQUEST: Price = Price {
    what: "HTTP API requests",
    listed: "$1.00 per million",
    page: "aws.amazon.com/api-gateway/pricing",
    micro_dollars: 1_000_000,
    units: 1_000_000,
};

pub const INVOCATION: Price = Price {
    what: "Lambda requests",
    listed: "$0.20 per million",
    page: "aws.amazon.com/lambda/pricing",
    micro_dollars: 200_000,
    units: 1_000_000,
};

/// One MB of memory for one millisecond, on x86.
pub const DURATION: Price = Price {
    what: "Lambda GB-seconds",
    listed: "$16.6667 per million",
    page: "aws.amazon.com/lambda/pricing",
    micro_dollars: 16_666_700,
    units: 1_000_000 * 1_024 * 1_000,
};

/// Half a read request unit.
pub const HALF_READ: Price = Price {
    what: "DynamoDB reads",
    listed: "$0.125 per million",
    page: "aws.amazon.com/dynamodb/pricing/on-demand",
    micro_dollars: 125_000,
    units: 2 * 1_000_000,
};

/// Half a write request unit.
pub const HALF_WRITE: Price = Price {
    what: "DynamoDB writes",
    listed: "$0.625 per million",
    page: "aws.amazon.com/dynamodb/pricing/on-demand",
    micro_dollars: 625_000,
    units: 2 * 1_000_000,
};

/// One byte in a table for a month, with point-in-time recovery.
pub const STORAGE: Price = Price {
    what: "DynamoDB storage, kB",
    listed: "$0.25 + $0.20 per GB and month",
    page: "aws.amazon.com/dynamodb/pricing/on-demand",
    micro_dollars: 250_000 + 200_000,
    units: GB,
};

/// One event put on a bus, of up to 64 KB.
pub const EVENT: Price = Price {
    what: "EventBridge events",
    listed: "$1.00 per million",
    page: "aws.amazon.com/eventbridge/pricing",
    micro_dollars: 1_000_000,
    units: 1_000_000,
};

pub const MAIL: Price = Price {
    what: "SES e-mails",
    listed: "$0.10 per thousand",
    page: "aws.amazon.com/ses/pricing",
    micro_dollars: 100_000,
    units: 1_000,
};

/// One byte of logs.
pub const LOGS: Price = Price {
    what: "CloudWatch logs, kB",
    listed: "$0.50 per GB",
    page: "aws.amazon.com/cloudwatch/pricing",
    micro_dollars: 500_000,
    units: GB,
};

/// One byte sent to the internet.
pub const TRANSFER: Price = Price {
    what: "data sent, kB",
    listed: "$0.09 per GB",
    page: "aws.amazon.com/ec2/pricing/on-demand",
    micro_dollars: 90_000,
    units: GB,
};

/// A KMS key for a month. The first and the second rotation of a key each add its price once more.
pub const KEY: Price = Price {
    what: "KMS key",
    listed: "$1.00 a month",
    page: "aws.amazon.com/kms/pricing",
    micro_dollars: 1_000_000,
    units: 1,
};

pub const KEY_USE: Price = Price {
    what: "KMS requests",
    listed: "$0.03 per ten thousand",
    page: "aws.amazon.com/kms/pricing",
    micro_dollars: 30_000,
    units: 10_000,
};

/// A secret for a month.
pub const SECRET: Price = Price {
    what: "secret",
    listed: "$0.40 a month",
    page: "aws.amazon.com/secrets-manager/pricing",
    micro_dollars: 400_000,
    units: 1,
};

/// An alarm on one metric for a month.
pub const ALARM: Price = Price {
    what: "alarms",
    listed: "$0.10 a month",
    page: "aws.amazon.com/cloudwatch/pricing",
    micro_dollars: 100_000,
    units: 1,
};

/// A dashboard for a month.
pub const DASHBOARD: Price = Price {
    what: "dashboards",
    listed: "$3.00 a month",
    page: "aws.amazon.com/cloudwatch/pricing",
    micro_dollars: 3_000_000,
    units: 1,
};

/// A custom metric for a month, if it counted something in every hour.
pub const METRIC: Price = Price {
    what: "custom metrics",
    listed: "$0.30 a month",
    page: "aws.amazon.com/cloudwatch/pricing",
    micro_dollars: 300_000,
    units: 1,
};
