-- What may pass the edge: the paths, queries and bodies that the protos have, and nothing else.
--
-- `MESSAGES` and the calls of `bind` are generated. What is refused here never reaches the
-- transcoder, and what is not known here is refused: a new method is closed until it is generated.

local char, gmatch, lower = string.char, string.gmatch, string.lower

-- Verb and segments of a path to its binding, as a tree; a segment `*` stands for any text.
local PATHS = {}

-- Binds a method of the API to a verb and a path.
--   fields  of its request that a body or a query may have
--   body    whether they are in a body
--   empty   whether a body may be missing: nothing in it is required
--   streams whether its reply does not end: then it has no HEAD
local function bind(verb, template, binding)
  local node = PATHS[verb] or {}
  PATHS[verb] = node
  for segment in gmatch(template, "/([^/]*)") do
    segment = gsub(segment, "^{[^}]*}", "*")
    node[segment] = node[segment] or {}
    node = node[segment]
  end
  node[1] = binding
end

-- Returns the fields of a message of which one is given by the path.
local function given_by_path(fields, name)
  local rest = {}
  for spelling, field in pairs(fields) do
    rest[spelling] = field.name == name and {name = name, kind = "path"} or field
  end
  return rest
end

local function find_binding(verb, path)
  local node = PATHS[verb]
  for segment in gmatch(path, "/([^/]*)") do
    if not node or segment == "" then return nil end
    -- A verb behind a variable, as in /payment/{id}:cancel.
    node = node[segment] or node["*" .. (match(segment, ":[^:]*$") or "")] or node["*"]
  end
  return node and node[1]
end

-- Returns what `allow` says of a path: the methods that it has; nil if there is no such path.
local function methods_of(path)
  local found = {}
  for _, verb in ipairs({"GET", "POST", "PUT", "PATCH", "DELETE"}) do
    local binding = find_binding(verb, path)
    if binding then
      found[#found + 1] = verb == "GET" and not binding.streams and "GET, HEAD" or verb
    end
  end
  return found[1] and table.concat(found, ", ")
end

-- Ends the check: no method of the API has this verb and this path.
local function no_method(verb, path)
  local allow = methods_of(path)
  if not allow then
    error({status = 404, code = 5, reason = "METHOD_NOT_FOUND",
           message = "There is no such method or path."}, 0)
  end
  if verb == "OPTIONS" then error({status = 204, allow = allow}, 0) end
  error({status = 405, code = 12, reason = "METHOD_NOT_ALLOWED", allow = allow,
         message = "This path has no such method: see the header allow."}, 0)
end

-- Returns what an escaped text of an address stands for; nil if that is not text.
local function decoded(text)
  local rest = gsub(text, "%%%x%x", "")
  if find(rest, "%", 1, true) then return nil end
  text = gsub(text, "%%(%x%x)", function(digits) return char(tonumber(digits, 16)) end)
  local at = find(text, "[%z\128-\255]")
  while at do
    at = after_character(text, at)
    if not at then return nil end
    at = find(text, "[%z\128-\255]", at)
  end
  return text
end

local function is_text(text)
  return not find(text, "[%%\128-\255]") or decoded(text) ~= nil
end

-- The transcoder knows no number in a query but those that have a name.
local function number_problem(text, field)
  for _, number in pairs(field.names) do
    if tostring(number) == text then return nil end
  end
  return field.expected
end

local function parameter_problem(field, value)
  if field.kind == "path" then return EXPECTED.path end
  if field.kind == "time" and find(value, "+", 1, true) then
    return "has a + where a query means a space: write %2B"
  end
  local text = find(value, "[%%\128-\255]") and decoded(value) or value
  if not is_text(value) then return "is not text" end
  if field.kind == "enum" and find(text, "^%-?%d") then return number_problem(text, field) end
  return (field.kind == "boolean" and WORD or TEXT)[field.kind](text, field)
end

-- Raises a table that says what is wrong with a query, if anything is. A name with an escape would
-- be another spelling of it; none of ours needs any.
local function check_query(query, fields)
  if query == "" then return end
  local given = {}
  for part in gmatch(query, "[^&]+") do
    local name, value = match(part, "^([^=]*)=(.*)$")
    local field = fields[name or part]
    trail[1] = field and field.name or shown(name or part)
    if not field then refuse(1, "is not a parameter of this method") end
    if not value then refuse(1, "has no value") end
    if given[field] and not field.repeated then refuse(1, "is given twice") end
    given[field] = true
    local problem = parameter_problem(field, value)
    if problem then refuse(1, problem) end
  end
end

local function is_json(content_type)
  if content_type == "application/json" then return true end
  content_type = lower(content_type or "")
  return find(content_type, "^application/json%s*$") or find(content_type, "^application/json%s*;")
end

-- Returns the whole body, of which the buffer filter has limited the size.
local function body_of(handle)
  local body = handle:body()
  return body and body:length() > 0 and body:getBytes(0, body:length()) or ""
end

-- Raises a table that says what is wrong with a request, if anything is.
local function check(handle, headers)
  -- CONNECT has no path.
  local path, mark, query = match(headers:get(":path") or "", "^([^?]*)(%??)(.*)$")
  local verb = headers:get(":method")
  local binding = find_binding(verb, path) or no_method(verb, path)
  if not is_text(path) then error({message = "The path is not text."}, 0) end
  if headers:get("content-encoding") then
    error({status = 415, reason = "UNSUPPORTED_MEDIA_TYPE", accept_encoding = "identity",
           message = "An encoded body is not read: send it without content-encoding."}, 0)
  end
  if not binding.body then
    check_query(query, binding.fields)
    if body_of(handle) ~= "" then error({message = "This method takes no body."}, 0) end
    return
  end
  -- Beside a body a query would be read as fields of it, and a card's number must not travel in an
  -- address.
  if mark ~= "" then
    error({message = "This method takes no query: everything belongs in the body."}, 0)
  end
  -- Before the body is waited for: then the headers are had no more.
  local content_type = headers:get("content-type")
  local body = body_of(handle)
  if body == "" and binding.empty then return end
  if not is_json(content_type) then
    error({status = 415, reason = "UNSUPPORTED_MEDIA_TYPE",
           message = "The body must be JSON: send content-type: application/json."}, 0)
  end
  local rewritten = check_json(body, binding.fields)
  if rewritten then
    handle:body():setBytes(rewritten)
    -- What was had of the headers before the body was waited for is good no more.
    handle:headers():replace("content-length", tostring(#rewritten))
  end
end

local ERROR = '{"code":%d,"message":"%s","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo",'
  .. '"reason":"%s","domain":"paygate","metadata":{}}%s]}'
local VIOLATION = ',{"@type":"type.googleapis.com/google.rpc.BadRequest",'
  .. '"field_violations":[{"field":"%s","description":"%s","reason":""}]}'

-- Answers in the contract's shape. The texts are ours, and a field is named as it is above: nothing
-- in them needs an escape.
local function respond(handle, problem)
  if problem.status == 204 then
    return handle:respond({[":status"] = "204", ["allow"] = problem.allow}, "")
  end
  local violation = ""
  if problem.field then violation = VIOLATION:format(problem.field, problem.description) end
  local body = ERROR:format(
    problem.code or 3, problem.message or "The request is not valid.",
    problem.reason or "MALFORMED_REQUEST", violation)
  -- Tells local_reply_config to leave it as it is.
  handle:streamInfo():dynamicMetadata():set("paygate.edge", "refused", true)
  handle:respond({[":status"] = tostring(problem.status or 400),
                  ["accept-encoding"] = problem.accept_encoding, ["allow"] = problem.allow}, body)
end

-- Called by Envoy for each request of a JSON client.
function envoy_on_request(handle)
  local ok, problem = pcall(check, handle, handle:headers())
  if ok then return end
  if type(problem) ~= "table" then
    -- A fault of ours. Envoy would let the request pass.
    handle:logErr("check: " .. tostring(problem))
    problem = {status = 500, code = 13, reason = "INTERNAL",
               message = "Something went wrong here; x-request-id names the request."}
  end
  respond(handle, problem)
end
