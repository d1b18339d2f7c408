//! `/`: says what answers here and where its description is.

use axum::response::Html;

const PAGE: &str = r#"<!DOCTYPE html>
<html lang="zh-CN">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>12345</title>
<h1>12345政务服务便民热线</h1>
<p lang="bo">གཅིག་གཉིས་གསུམ་བཞི་ལྔ་སྲིད་དོན་ཞབས་ཞུ་དང་དམངས་ལ་སྟབས་བདེའི་ཐད་སྦྲེལ་ཁ་པར།</p>
<p lang="en">The government service hotline 12345.</p>
<ul>
<li><a href="/api/openapi.json">API (OpenAPI)</a>
<li><a href="/readyz">状态 / Status</a>
</ul>
</html>
"#;

/// Names the service and links to the description of the API.
#[utoipa::path(
    get,
    path = "/",
    operation_id = "read_front_page",
    tag = "operation",
    responses((status = 200, body = String, content_type = "text/html; charset=utf-8"))
)]
pub async fn page() -> Html<&'static str> {
    Html(PAGE)
}
