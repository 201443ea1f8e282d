-- wrk's side of a load over REST: requests from a file take turns, each with a key of its own.
-- Arguments: the file (method, path and body by tabs), the start of every key, `Authorization`.

local requests, turn, sent, prefix, headers = {}, 0, 0, "", {}

function init(args)
  for line in io.lines(args[1]) do
    local method, path, body = line:match("^(%S+)\t(%S+)\t(.*)$")
    requests[#requests + 1] = { method, path, body ~= "" and body or nil }
  end
  prefix = args[2]
  headers = { ["content-type"] = "application/json", ["authorization"] = args[3] }
end

function request()
  turn = turn % #requests + 1
  sent = sent + 1
  headers["idempotency-key"] = string.format("%s%012d", prefix, sent)
  local wanted = requests[turn]
  return wrk.format(wanted[1], wanted[2], headers, wanted[3])
end

-- Every latency that was seen, in µs, and how often: percentiles of several wrks can be joined.
function done(summary, latency)
  local errors = summary.errors
  io.write(string.format("\n@summary %d %d %d %d\n", summary.requests, summary.duration,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
  for index = 1, #latency do
    local value, count = latency(index)
    io.write(string.format("@time %d %d\n", value, count))
  end
end
