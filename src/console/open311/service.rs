//! Services: the classes of the catalogue.

use axum::http::StatusCode;

use super::document::{Element, Root};
use super::fault::Fault;
use super::{Answer, Shared};
use crate::store::OpenService;
use crate::ticket::RequestType;

pub async fn list(shared: &Shared) -> Answer {
    let services = shared.store.open_services().await.map_err(|error| Fault::internal(&error))?;
    let items = services.into_iter().map(shown).collect();
    Ok((StatusCode::OK, Root::List { list: "services", item: "service", items }))
}

/// A service's definition: the attributes that a request may carry.
pub async fn one(shared: &Shared, code: &str) -> Answer {
    let services = shared.store.open_services().await.map_err(|error| Fault::internal(&error))?;
    let found = services.into_iter().find(|service| service.code.to_string() == code);
    let service = found.ok_or_else(|| Fault::missing("service_code was not found."))?;
    let types: Vec<(&str, &str)> = vec![
        (RequestType::Consult.name(), "咨询"),
        (RequestType::Help.name(), "求助"),
        (RequestType::Complaint.name(), "投诉"),
        (RequestType::Report.name(), "举报"),
        (RequestType::Suggest.name(), "意见建议"),
        (RequestType::Praise.name(), "表扬"),
    ];
    let attributes = vec![
        attribute(1, "type", "请求类型 / རིགས།", &types),
        attribute(2, "requester", "申请人", &[("citizen", "群众"), ("enterprise", "企业")]),
        attribute(3, "language", "语言 / སྐད་ཡིག", &[("zh", "汉语"), ("bo", "བོད་སྐད།")]),
        attribute(
            4,
            "channel",
            "渠道",
            &[("website", "网站"), ("wechat", "微信"), ("weibo", "微博"), ("mini_program", "小程序")],
        ),
        attribute(5, "confidential", "保密", &[("true", "是"), ("false", "否")]),
    ];
    let element =
        Element::default().text("service_code", service.code.to_string()).list("attributes", "attribute", attributes);
    Ok((StatusCode::OK, Root::One { name: "service_definition", element }))
}

fn attribute(order: u8, code: &'static str, description: &str, values: &[(&str, &str)]) -> Element {
    let value =
        |(key, name): &(&str, &str)| Element::default().text("key", (*key).to_owned()).text("name", (*name).to_owned());
    Element::default()
        .flag("variable", true)
        .text("code", code.to_owned())
        .text("datatype", "singlevaluelist".to_owned())
        .flag("required", false)
        .text("datatype_description", "选择一项".to_owned())
        .number("order", Some(order.into()))
        .text("description", description.to_owned())
        .list("values", "value", values.iter().map(value).collect())
}

fn shown(service: OpenService) -> Element {
    Element::default()
        .text("service_code", service.code.to_string())
        .text("service_name", service.zh)
        .text("description", service.bo)
        .flag("metadata", true)
        .text("type", "realtime".to_owned())
        .text("keywords", service.keywords.join(","))
        .text("group", service.group)
}
