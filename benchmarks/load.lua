-- wrk's side of the measurement: what is asked, and what came of it as one line of JSON.
-- Arguments: MODE (get, list, create) PATH TOKEN RATE (requests a second, 0 = as fast as it goes)
-- SEED (makes the orders of this run differ from all others) FILE (ids, a line each, for get).

local ffi = require("ffi")
ffi.cdef [[
  typedef struct { long seconds; long nanoseconds; } moment;
  int clock_gettime(int clock, moment *now);
]]
local now = ffi.new("moment")

local function milliseconds()
  ffi.C.clock_gettime(1, now)
  return tonumber(now.seconds) * 1000 + tonumber(now.nanoseconds) / 1e6
end

local address = '"shipping_address":{"name":"Ada Lovelace","line1":"12 St James\'s Square",'
  .. '"city":"London","postal_code":"SW1Y 4JH","country":"GB"},"payment_method":"%s"}'
local ids, turn, due = {}, 0, 0

local pace

function init(args)
  mode, path, rate, seed = args[1], args[2], tonumber(args[4]), args[5]
  wrk.headers["Authorization"] = "Bearer " .. args[3]
  address = address:format(args[7])
  if rate > 0 then delay = pace end
  if mode == "get" then
    for line in io.lines(args[6]) do ids[#ids + 1] = line end
  elseif mode == "create" then
    wrk.headers["Content-Type"] = "application/json"
  end
end

function request()
  turn = turn + 1
  if mode == "get" then
    return wrk.format("GET", path .. ids[turn % #ids + 1])
  elseif mode == "list" then
    return wrk.format("GET", path)
  end
  wrk.headers["Idempotency-Key"] = seed .. "-" .. turn
  local items = ('{"items":[{"product_id":"mug-%s-%d","quantity":2,"price":12.50},'
    .. '{"product_id":"tea-assam","quantity":1,"price":8.90}],'):format(seed, turn)
  return wrk.format("POST", path, nil, items .. address)
end

-- The next request goes out when its turn comes, whichever connection is free. wrk waits for a
-- timer at each request as soon as there is a `delay` at all, so only a paced run has one.
function pace()
  local moment = milliseconds()
  -- What a standstill has held up is made up for, but for no more than a second of it. At the
  -- start nothing is: that would be a second's requests at once, which the rest has to wait for.
  due = due == 0 and moment or math.max(due + 1000 / rate, moment - 1000)
  return math.max(0, math.floor(due - moment + 0.5))
end

function done(summary, latency, requests)
  io.write(('{"requests":%d,"seconds":%.6f,"errors":%d,"p50_us":%d,"p99_us":%d}\n'):format(
    summary.requests, summary.duration / 1e6,
    summary.errors.status + summary.errors.connect + summary.errors.read
      + summary.errors.write + summary.errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
