-- The headers that reach a service; every other name is dropped. `:path` and its like are no headers.

local KEPT = {}
for _, name in ipairs({
  "authorization", "content-length", "content-type", "idempotency-key", "te", "user-agent",
  "x-forwarded-for", "x-forwarded-proto", "x-request-id",
  -- Of native gRPC clients.
  "grpc-accept-encoding", "grpc-encoding", "grpc-timeout",
}) do KEPT[name] = true end

-- Called by Envoy with the name of each header: whether it is dropped.
function envoy_match(name)
  return not KEPT[name] and string.byte(name) ~= 58
end
