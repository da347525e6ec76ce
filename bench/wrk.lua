-- Sends prepared requests in turn, from a place in the list that differs from run to run, and tells what it
-- saw in one line. BENCH_REQUESTS names a file: method, target and body of a request per line, with tabs.

local requests = {}
local at = tonumber(os.getenv("BENCH_FROM"))

function init()
    wrk.headers["Authorization"] = "Bearer " .. os.getenv("BENCH_TOKEN")
    for line in io.lines(os.getenv("BENCH_REQUESTS")) do
        local method, target, body = line:match("([^\t]*)\t([^\t]*)\t(.*)")
        local headers = {}
        for name, value in pairs(wrk.headers) do headers[name] = value end
        if body == "" then
            body = nil
        else
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        end
        requests[#requests + 1] = wrk.format(method, target, headers, body)
    end
end

function request()
    at = at % #requests + 1
    return requests[at]
end

function done(summary, latency)
    local errors = summary.errors
    io.write(string.format(
        "bench %d %d %d %d %d\n",
        summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
        errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
