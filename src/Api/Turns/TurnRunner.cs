using System.Text;
using LServe.Api.Http;
using LServe.Contracts;
using Microsoft.AspNetCore.Http;

namespace LServe.Api.Turns;

/// <summary>Runs a turn and answers with it. Failures before the first event become HTTP errors, later ones events of the stream.</summary>
internal sealed class TurnRunner(ApiServices api)
{
    private int _running;

    /// <summary>Runs the turn, answers in the given shape, and ends it also when nobody reads any more.</summary>
    public async Task AnswerAsync(HttpContext http, TurnCall call, IAnswerShape shape, bool stream)
    {
        var begin = api.Time.GetTimestamp();
        Enter();
        try
        {
            using var reader = api.Readers.Enter(http, call);
            await using var events = new TurnEvents(Open(call, reader.Gone), reader.Gone);
            try
            {
                var answer = await StartAsync(http, call, events);
                api.Metrics.TurnStarted(api.Time.GetElapsedTime(begin));
                if (stream)
                    await new StreamedAnswer(api, http, answer, shape).WriteAsync(events);
                else
                    await WriteWholeAsync(http, answer, shape, events);
            }
            catch (OperationCanceledException) when (reader.IsPatient && http.RequestAborted.IsCancellationRequested && !reader.Gone.IsCancellationRequested)
            {
                await AwaitReturnAsync(events);
            }
            catch
            {
                reader.Leave();
                throw;
            }
        }
        finally
        {
            Interlocked.Decrement(ref _running);
        }
    }

    /// <summary>Reads on in place of a reader who may come back and join the turn, until it ends or the reader is given up.</summary>
    private static async Task AwaitReturnAsync(TurnEvents events)
    {
        try
        {
            while (await events.NextAsync() is not TurnCompleted)
            {
            }
        }
        catch (Exception failure) when (failure is LServeException or OperationCanceledException)
        {
            // Whoever joins is told.
        }
    }

    private void Enter()
    {
        if (Interlocked.Increment(ref _running) <= api.Options.MaxConcurrentTurns)
            return;
        Interlocked.Decrement(ref _running);
        throw LServeException.RateLimited($"{api.Options.MaxConcurrentTurns} requests are in progress, the most this server takes; try again.");
    }

    private IAsyncEnumerable<TurnEvent> Open(TurnCall call, CancellationToken cancellation) => call.Session is { } session
        ? api.Host.SendAsync(session, call.Request, cancellation)
        : api.Host.RunAsync(call.Tenant, call.Request, cancellation);

    private async Task<TurnAnswer> StartAsync(HttpContext http, TurnCall call, TurnEvents events)
    {
        if (await events.NextAsync() is not TurnStarted started)
            throw new InvalidOperationException("A turn began without its first event.");
        http.Response.Headers[TurnCall.TurnHeader] = HeaderText.Encode(started.TurnId);
        if (call.Session is { } session)
            http.Response.Headers[TurnCall.SessionHeader] = HeaderText.Encode(session.Session);
        var status = api.Host.Status;
        return new(call, started, status.Model, status.Backend, api.Time.GetUtcNow().ToUnixTimeSeconds());
    }

    private static async Task WriteWholeAsync(HttpContext http, TurnAnswer answer, IAnswerShape shape, TurnEvents events)
    {
        var text = new StringBuilder();
        List<TokenLogprob>? logprobs = answer.Call.Request.Sampling.Logprobs ? [] : null;
        while (true)
        {
            switch (await events.NextAsync())
            {
                case TextDelta delta:
                    text.Append(delta.Text);
                    logprobs?.AddRange(delta.Logprobs ?? []);
                    break;
                case TurnCompleted end:
                    await shape.WriteWholeAsync(http, answer, text.ToString(), logprobs, end);
                    return;
            }
        }
    }
}
