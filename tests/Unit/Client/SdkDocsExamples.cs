using LServe.Client;
using LServe.Contracts;

namespace LServe.Tests.Unit.Client;

/// <summary>The documents' examples of the .NET client, where the compiler reads them; a rule of tests/Tidy compares the two.</summary>
internal static class SdkDocsExamples
{
    public static async Task ReadmeAsync()
    {
        using var client = new LServeClient("http://127.0.0.1:8080");
        await foreach (var happened in client.SendAsync("trip", "What should I pack?"))
            if (happened is TextDelta delta)
                Console.Write(delta.Text);
    }

    public static async Task ApiAsync(LServeClient client, CancellationToken cancellation)
    {
        var request = new TurnRequest
        {
            TurnId = "packing-1",
            Messages = [new(ChatMessage.User, "What should I pack?")],
            Sampling = new SamplingOptions { Temperature = 0, MaxTokens = 100 },
        };
        try
        {
            await foreach (var happened in client.SendAsync("trip", request, cancellation))
                if (happened is TurnCompleted completed)
                    Console.WriteLine($"{completed.Usage.CachedTokens} of {completed.Usage.PromptTokens} prompt tokens were there already");
        }
        catch (LServeException problem) when (problem.Error.Retryable)
        {
            Console.WriteLine($"send {request.TurnId} again in {problem.Error.RetryAfterSeconds ?? 1} s");
        }
    }
}
