-- The body of a request: JSON as RFC 8259 has it, and in it only what the message has.
--
-- The transcoder's own parser takes single quotes, bare names, comments and trailing commas, drops
-- fields that it does not know, and lets the last of two equal ones win. All of that is refused
-- here, so that a service gets what every other parser would have read in the same bytes.
--
-- `fields` below are a message: from each spelling of a name to a table of the field, which is one
-- and the same for both spellings.
--   name      as in the proto
--   kind      message, string, time, duration, integer, boolean, enum; path: given by the path of
--             the request
--   repeated  whether it is a list
--   fields    of a message
--   list      of a message that is a list and nothing else: the name of the field with the list
--   names     of an enum, to their numbers
--   expected  of an enum: what a value must be
--   low, high the digits of the least and the greatest integer, without the sign
--   oneof     the name of the group of which only one may be given

local DEPTH_MAX = 32

local byte, find, gsub, match = string.byte, string.find, string.gsub, string.match

-- Where a list stands for a message that holds it, in the body that is looked at: the place of its
-- bracket, the place after it, and the name of the message's field.
local lists = {}

local EXPECTED = {
  message = "must be an object",
  string = "must be a string",
  time = A_TIME,
  duration = A_DURATION,
  integer = "must be a whole number",
  boolean = "must be true or false",
  path = "belongs in the path of the request",
}

local function expected(field) return field.expected or EXPECTED[field.kind] end

-- The names that lead to the value which is being looked at, one for each level; in a list, how many
-- are before it. One table will do for all requests: nothing here waits in the middle of a body.
local trail = {}

-- Ends the check: the field at this depth of the trail is wrong.
local function refuse(depth, description, reason)
  local field = trail[1]
  for level = 2, depth do
    local name = trail[level]
    field = field .. (type(name) == "number" and "[" .. name .. "]" or "." .. name)
  end
  error({reason = reason or "MALFORMED_REQUEST", field = field, description = description}, 0)
end

-- Ends the check: this is not JSON.
local function not_json(what, at)
  error({message = "The body is not valid JSON: " .. what .. ", at byte " .. at .. "."}, 0)
end

-- What an error may show of a name that the client made up: nothing that could be a card's number.
local function shown(name)
  if #name > 40 or not find(name, "^%a[%w_]*$") then return "?" end
  return (gsub(name, "%d", "#"))
end

-- Returns the place of what comes after white space.
local function skip(text, at)
  if (byte(text, at) or 0) > 32 then return at end
  return match(text, "^[ \t\r\n]*()", at)
end

-- The first byte of a character of several, to the pattern of all of it (RFC 3629): no form that is
-- longer than needed, no half of a surrogate pair, nothing above U+10FFFF.
local CHARACTERS = {}
for first = 0xC2, 0xDF do CHARACTERS[first] = "^.[\128-\191]()" end
for first = 0xE0, 0xEF do CHARACTERS[first] = "^.[\128-\191][\128-\191]()" end
for first = 0xF0, 0xF4 do CHARACTERS[first] = "^.[\128-\191][\128-\191][\128-\191]()" end
CHARACTERS[0xE0] = "^.[\160-\191][\128-\191]()"
CHARACTERS[0xED] = "^.[\128-\159][\128-\191]()"
CHARACTERS[0xF0] = "^.[\144-\191][\128-\191][\128-\191]()"
CHARACTERS[0xF4] = "^.[\128-\143][\128-\191][\128-\191]()"

-- Returns the place after a character of several bytes, or nil if it is none.
local function after_character(text, at)
  local pattern = CHARACTERS[byte(text, at)]
  return pattern and match(text, pattern, at)
end

-- Returns the place after the escape whose backslash is at `at`.
local function after_escape(text, at)
  local after = match(text, '^["\\/bfnrt]()', at + 1)
  if after then return after end
  local code = tonumber(match(text, "^u(%x%x%x%x)", at + 1) or "", 16)
  if not code then not_json("an escape is unknown", at) end
  if code == 0 then not_json("U+0000 is in a string", at) end
  if code < 0xD800 or code > 0xDFFF then return at + 6 end
  after = code < 0xDC00 and match(text, "^\\u[dD][c-fC-F]%x%x()", at + 6)
  return after or not_json("a surrogate is without its other half", at)
end

-- Returns the place of the quote that ends the string which begins at `at`.
local function string_end(text, at)
  while true do
    -- The next byte that is not plain: neither ASCII that can be printed, nor with a meaning here.
    at = find(text, "[^\32\33\35-\91%]\94-\127]", at)
    local found = at and byte(text, at)
    if not found then not_json("a string has no end", #text + 1) end
    if found == 34 then return at end
    if found == 92 then
      at = after_escape(text, at)
    elseif found < 32 then
      not_json("a control character is in a string", at)
    else
      at = after_character(text, at) or not_json("a string is not UTF-8", at)
    end
  end
end

-- What is wrong with an integer, written as its digits; nil if nothing is.
local function integer_problem(text, field)
  if not find(text, "^%-?[1-9]%d*$") then
    return not find(text, "^%-?0$") and expected(field) or nil
  end
  if #text < 10 and field.low ~= "0" then return nil end -- no limit is as near as that
  local sign, digits = match(text, "^(%-?)(%d+)")
  local limit = sign == "" and field.high or field.low
  local too_large = #digits > #limit or (#digits == #limit and digits > limit)
  return too_large and "is out of range" or nil
end

-- Kind to what is wrong with a value that was written as a string; nil if nothing is.
local TEXT = {
  string = function() end,
  time = time_problem,
  duration = duration_problem,
  integer = integer_problem,
  enum = function(text, field) return not field.names[text] and field.expected or nil end,
}

-- The same for what was written without quotes.
local WORD = {
  integer = integer_problem,
  enum = integer_problem,
  boolean = function(text) return text ~= "true" and text ~= "false" and EXPECTED.boolean or nil end,
}

-- Each function from here returns the place after a value and the white space behind it. The
-- patterns are for what is usual; whatever does not match them is looked at in detail.

local function after_string(text, at, field, depth)
  local problem_of = TEXT[field.kind] or refuse(depth, expected(field))
  local value, after = match(text, '^"([\32\33\35-\91%]\94-\127]*)"[ \t\r\n]*()', at)
  if not after then
    local last = string_end(text, at + 1)
    value, after = text:sub(at + 1, last - 1), skip(text, last + 1)
  end
  local problem = problem_of(value, field)
  if problem then refuse(depth, problem) end
  return after
end

local after_object, after_list -- a message may hold messages and lists

local function after_single(text, at, field, depth)
  local found = byte(text, at)
  if found == 34 then return after_string(text, at, field, depth) end
  if found == 123 and field.kind == "message" then
    return after_object(text, at, field.fields, depth + 1)
  end
  if found == 91 and field.list then
    local after = after_list(text, at, field.fields[field.list], depth)
    lists[#lists + 1] = {at, after, field.list}
    return after
  end
  local word, after = match(text, "^([%w.+-]+)[ \t\r\n]*()", at)
  if not word and found ~= 123 and found ~= 91 then not_json("a value is missing", at) end
  local problem_of = word and WORD[field.kind]
  local problem = not problem_of and expected(field) or problem_of(word, field)
  if problem then refuse(depth, problem) end
  return after
end

function after_list(text, at, field, depth)
  if byte(text, at) ~= 91 then refuse(depth, "must be a list") end
  at = skip(text, at + 1)
  if byte(text, at) == 93 then return skip(text, at + 1) end
  local place = 0
  while true do
    trail[depth + 1] = place
    at = after_single(text, at, field, depth + 1)
    local found = byte(text, at)
    if found == 93 then return skip(text, at + 1) end
    if found ~= 44 then not_json("a comma or bracket is missing", at) end
    at = skip(text, at + 1)
    place = place + 1
  end
end

local function after_value(text, at, field, depth)
  if field.kind == "path" then refuse(depth, EXPECTED.path) end
  if byte(text, at) == 110 then -- n
    local after = match(text, "^null[ \t\r\n]*()", at)
    if after then return after end -- as if it were not there
  end
  if field.repeated then return after_list(text, at, field, depth) end
  return after_single(text, at, field, depth)
end

-- For each depth, from a field to the number of the object that has it. Kept from request to
-- request, for a new table for each object would cost more than all the rest.
local given_at, objects = {}, 0
for depth = 1, DEPTH_MAX do given_at[depth] = {} end

-- Notes that an object has a field, or one of a group, of which it may have only one.
local function note(depth, object, key, description)
  local given = given_at[depth]
  if given[key] == object then refuse(depth, description) end
  given[key] = object
end

-- The names of a message's fields that a body may have, as the proto spells them: there are as many as
-- the protos have, whatever the client sends.
local function names_of(fields)
  local names = {}
  for spelling, field in pairs(fields) do
    if spelling == field.name and field.kind ~= "path" then names[#names + 1] = spelling end
  end
  table.sort(names)
  return table.concat(names, ", ")
end

-- Ends the check: what should be a name of a field and a colon is something else.
local function no_field(text, at, fields, depth)
  at = skip(text, at)
  if byte(text, at) ~= 34 then not_json("a name in double quotes is missing", at) end
  local last = string_end(text, at + 1)
  -- With an escape in it, it is another name than any of ours.
  local name = text:sub(at + 1, last - 1)
  if fields[name] then not_json("a colon is missing", skip(text, last + 1)) end
  trail[depth] = shown(name)
  local description, names = "is not a field of this request", names_of(fields)
  if names ~= "" then
    description = description .. (depth > 1 and "; here it has " or "; it has ") .. names
  end
  refuse(depth, description, "UNKNOWN_FIELD")
end

-- `at` is the place of the object's brace; its fields are at this depth.
function after_object(text, at, fields, depth)
  if depth > DEPTH_MAX then refuse(depth - 1, "is nested too deep") end
  objects = objects + 1
  local object, found = objects, nil
  at = skip(text, at + 1)
  if byte(text, at) == 125 then return skip(text, at + 1) end
  repeat
    local name, value_at = match(text, '^[ \t\r\n]*"([%w_]+)"[ \t\r\n]*:[ \t\r\n]*()', at)
    local field = fields[name or ""] or no_field(text, at, fields, depth)
    trail[depth] = field.name
    note(depth, object, field, "is given twice")
    if field.oneof and byte(text, value_at) ~= 110 then
      note(depth, object, field.oneof, "cannot be given together with another of its kind")
    end
    at = after_value(text, value_at, field, depth)
    found = byte(text, at)
    if found ~= 44 and found ~= 125 then not_json("a comma or brace is missing", at) end
    at = at + 1
  until found == 125
  return skip(text, at)
end

-- Returns a body in which each list that stands for a message is in that message; nil if none is.
local function with_messages(text)
  if #lists == 0 then return nil end
  local parts, rest = {}, 1
  for _, list in ipairs(lists) do
    local at, after, name = list[1], list[2], list[3]
    parts[#parts + 1] = text:sub(rest, at - 1) .. '{"' .. name .. '":' .. text:sub(at, after - 1) .. "}"
    rest = after
  end
  return table.concat(parts) .. text:sub(rest)
end

-- Raises a table that says what is wrong with a body, if anything is. Returns what the transcoder is to
-- read instead of it; nil if that is the body itself.
local function check_json(text, fields)
  lists = {}
  local at = skip(text, 1)
  if at > #text then error({message = "The body is empty: send a JSON object."}, 0) end
  if byte(text, at) ~= 123 then error({message = "The body must be a JSON object."}, 0) end
  at = after_object(text, at, fields, 1)
  if at <= #text then not_json("something follows the object", at) end
  return with_messages(text)
end
