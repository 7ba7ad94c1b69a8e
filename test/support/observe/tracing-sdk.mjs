// An SDK of OpenTelemetry as an operator brings one, with `--import`: it keeps spans for an hour, and then prints them.
import { trace } from '@opentelemetry/api'
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base'

const exporter = {
  export(spans, done) {
    for (const { name } of spans) console.log(`exported ${name}`)
    done({ code: 0 })
  },
  shutdown: async () => {},
}
const processor = new BatchSpanProcessor(exporter, { scheduledDelayMillis: 3_600_000 })
trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [processor] }))
