using LServe.Api.Http;
using LServe.Contracts;
using LServe.Contracts.OpenAi;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace LServe.Api.Turns;

/// <summary>
/// One answer as server-sent events: text as it comes, progress of long prompts and signs of life as comments, a failure as
/// <c>{"error":…}</c> in place of the end.
/// </summary>
internal sealed partial class StreamedAnswer(ApiServices api, HttpContext http, TurnAnswer answer, IAnswerShape shape)
{
    private readonly long _begin = api.Time.GetTimestamp();
    private bool _hasText;

    public async Task WriteAsync(TurnEvents turn)
    {
        using var stream = new ServerSentEvents(http, api);
        shape.WriteStart(stream, answer);
        await stream.FlushAsync();
        try
        {
            while (!Write(stream, await NextAsync(stream, turn)))
                if (stream.IsFull || !turn.HasNext)
                    await stream.FlushAsync();
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            WriteFailure(stream, failure);
        }
        await stream.FlushAsync();
    }

    private async ValueTask<TurnEvent> NextAsync(ServerSentEvents stream, TurnEvents turn)
    {
        while (!await turn.WaitAsync(api.Options.KeepAlive, api.Time))
        {
            stream.Comment("waiting");
            await stream.FlushAsync();
        }
        return await turn.NextAsync();
    }

    /// <summary>Writes one event of the turn; true when it was the last.</summary>
    private bool Write(ServerSentEvents stream, TurnEvent happened)
    {
        switch (happened)
        {
            case PromptProgress progress:
                shape.WriteProgress(stream, progress);
                return false;
            case TextDelta delta:
                NoteFirstText();
                shape.WriteDelta(stream, answer, delta);
                return false;
            case TurnCompleted end:
                shape.WriteEnd(stream, answer, end);
                return true;
            default:
                return false;
        }
    }

    private void NoteFirstText()
    {
        if (!_hasText)
            api.Metrics.FirstText(api.Time.GetElapsedTime(_begin));
        _hasText = true;
    }

    private void WriteFailure(ServerSentEvents stream, Exception failure)
    {
        var error = OpenAiErrors.Describe(failure);
        if (error.Code == ErrorCode.Internal)
            LogFailure(api.Logger, answer.Started.TurnId, failure);
        stream.Data(OpenAiErrors.Body(error), WireJson.Default.ErrorBody);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Turn {Turn} failed while it was streamed")]
    private static partial void LogFailure(ILogger logger, string turn, Exception failure);
}
