import { context, propagation, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'
import { afterAll, beforeAll } from 'vitest'
import { until } from '../until.ts'

/** The spans that were ended since the SDK was registered, or since `forget`. */
export class Tracing {
  readonly #exporter = new InMemorySpanExporter()

  register(): void {
    trace.setGlobalTracerProvider(
      new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(this.#exporter)] }),
    )
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
    propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  }

  unregister(): void {
    trace.disable()
    context.disable()
    propagation.disable()
  }

  get spans(): readonly ReadableSpan[] {
    return this.#exporter.getFinishedSpans()
  }

  forget(): void {
    this.#exporter.reset()
  }

  /** The first span that fits, as soon as it has ended. */
  async ended(fits: (span: ReadableSpan) => boolean): Promise<ReadableSpan> {
    await until(() => this.spans.some(fits))
    return this.spans.find(fits) as ReadableSpan
  }

  /** The names of a span and of those around it, the outermost first. */
  pathOf(span: ReadableSpan): string[] {
    const around = this.spans.find((other) => other.spanContext().spanId === span.parentSpanContext?.spanId)
    return [...(around === undefined ? [] : this.pathOf(around)), span.name]
  }
}

/** Listens to all servers of this process, while the tests of the file run. */
export function useTracing(): Tracing {
  const tracing = new Tracing()
  beforeAll(() => tracing.register())
  afterAll(() => tracing.unregister())
  return tracing
}
