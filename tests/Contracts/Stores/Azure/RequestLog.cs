using System.Collections.Concurrent;
using Azure.Core;
using Azure.Core.Pipeline;

namespace LServe.Tests.Contracts;

/// <summary>Sees the requests to a blob store, and may lose their answers on the way.</summary>
internal sealed class RequestLog : HttpPipelinePolicy
{
    private int _lost;

    public ConcurrentQueue<(string What, long Bytes)> Requests { get; } = new();

    /// <summary>Loses the answer of the next request whose query has this text, which the service has done by then.</summary>
    public string? LoseNext { get; set; }

    /// <summary>Answers that were lost.</summary>
    public int Lost => _lost;

    public override async ValueTask ProcessAsync(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
    {
        var query = message.Request.Uri.Query;
        long bytes = 0;
        message.Request.Content?.TryComputeLength(out bytes);
        Requests.Enqueue(($"{message.Request.Method} {query}", bytes));
        await ProcessNextAsync(message, pipeline);
        if (LoseNext is not { } what || !query.Contains(what)) return;
        LoseNext = null;
        Interlocked.Increment(ref _lost);
        throw new IOException("The answer was lost.");
    }

    public override void Process(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline) => throw new NotSupportedException();
}
