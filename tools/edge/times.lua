-- Times and durations as JSON has them: the transcoder's own errors do not name the field.

local find, match = string.find, string.match

local A_TIME = "must be a time as RFC 3339 has it, such as 2026-12-31T23:59:59Z"
local A_DURATION = "must be seconds followed by s, such as 90s or 0.5s"

-- The days of the month, and of February as many as a leap year has.
local DAYS = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

local function is_day(year, month, day)
  if year < 1 or day < 1 or day > (DAYS[month] or 0) then return false end
  return month ~= 2 or day < 29 or (year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0))
end

-- Whether a fraction of a second is none, or has one digit to nine.
local function is_fraction(text)
  return text == "" or (#text <= 10 and find(text, "^%.%d+$") ~= nil)
end

-- Whether a time is one of the years 1 to 9999 in UTC as well as in its zone.
local function is_in_range(date, minutes, zone)
  local sign, hours, rest = match(zone, "^([+-])(%d%d):(%d%d)$")
  if not sign then return true end
  local ahead = hours * 60 + rest
  if sign == "+" then return date ~= "0001-01-01" or minutes >= ahead end
  return date ~= "9999-12-31" or minutes + ahead < 24 * 60
end

-- What is wrong with a time (google.protobuf.Timestamp); nil if nothing is.
local function time_problem(text)
  local year, month, day, hour, minute, second, fraction, zone =
    match(text, "^(%d%d%d%d)-(%d%d)-(%d%d)T(%d%d):(%d%d):(%d%d)([%.%d]*)([Z+-].*)$")
  local ok = year and is_day(tonumber(year), tonumber(month), tonumber(day))
    and hour < "24" and minute < "60" and second < "60" and is_fraction(fraction)
    and (zone == "Z" or find(zone, "^[+-][01]%d:[0-5]%d$") or find(zone, "^[+-]2[0-3]:[0-5]%d$"))
  if not ok then return A_TIME end
  local date = match(text, "^[^T]*")
  return not is_in_range(date, hour * 60 + minute, zone) and "is out of range" or nil
end

-- What is wrong with a duration (google.protobuf.Duration); nil if nothing is.
local function duration_problem(text)
  local digits, fraction = match(text, "^%-?(%d+)([%.%d]*)s$")
  if not digits or not is_fraction(fraction) then return A_DURATION end
  return (#digits > 12 or (#digits == 12 and digits > "315576000000")) and "is out of range" or nil
end
