//! `report-partners`: on the first of each month, e-mails operators the partner report of the previous month (rule
//! E2).
//!
//! Invariant: it reads rolled-up figures, so its cost grows with active resellers times months. The e-mail shows the
//! same numbers as the API.

use aws_lambda_events::eventbridge::EventBridgeEvent;
use purser_domain::analytics::period::Month;
use purser_domain::parties::Reseller;
use purser_domain::people::User;
use purser_edge::App;
use purser_edge::events::consumer::Delivery;
use purser_mails::partner_report::{Leader, PartnerReport, Suggestion, partner_report};
use serde_json::Value;

use crate::analytics::count;
use crate::analytics::report::Report;
use crate::events::operators::tell_operators;

/// E-mails last month's report to operators. An error asks for another run.
pub async fn report_partners(app: App, event: EventBridgeEvent<Value>) -> Result<(), String> {
    let delivery = Delivery::of_timetable("report-partners", &event)?;
    let month = Month::of(app.clock.now().day()).minus(1);
    let report = Report::on(&app, month).await?;
    let view = view(report);
    let mail = |operator: &User| partner_report(&app.config, &operator.email, &operator.name, &view);
    tell_operators(&app, &delivery, mail).await
}

fn view(report: Report) -> PartnerReport {
    let liability = report.credits();
    let leader = |(reseller, [acquisitions, spent]): (Reseller, [i64; 2])| Leader {
        company: reseller.company_name,
        tier: reseller.tier,
        acquisitions: count(acquisitions),
        spent,
    };
    let suggestion = |(reseller, acquisitions, suggested): (Reseller, i64, _)| Suggestion {
        company: reseller.company_name,
        tier: reseller.tier,
        acquisitions: count(acquisitions),
        suggested,
    };
    PartnerReport {
        month: report.month.first(),
        leaders: report.leaders.into_iter().map(leader).collect(),
        suggestions: report.suggestions.into_iter().map(suggestion).collect(),
        liability,
        trend: report.trend,
    }
}
