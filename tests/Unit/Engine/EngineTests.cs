using LServe.Inference;
using LServe.Model;
using LServe.Tests.Support;

namespace LServe.Tests.Unit.Inference;

public sealed class EngineTests : IDisposable
{
    private readonly TemporaryFile _file = new(TinyModel.Bytes());
    private readonly ModelFile _model;
    private readonly FakeBackend _backend = new();

    public EngineTests() => _model = ModelFile.Open(_file.Path);

    [Fact]
    public async Task AReaderThatLagsPausesItsSequenceAndNoOther()
    {
        using var engine = Start(new() { EventBuffer = 8 });
        var slow = engine.Generate(new Sequence("a"), [1], SamplingParams.Greedy, 200);
        var quick = engine.Generate(new Sequence("a"), [2], SamplingParams.Greedy, 200);
        Assert.Equal(200, await CountTokens(quick));
        Assert.True(slow.Sequence.Length < 50, "nobody read, so the sequence must have paused");
        Assert.Equal(200, await CountTokens(slow));
    }

    [Fact]
    public async Task AFailedStepFailsItsGenerationsAndTheEngineGoesOn()
    {
        using var engine = Start(new());
        var sequence = new Sequence("a");
        Assert.Equal(5, await CountTokens(engine.Generate(sequence, [1, 2, 3], SamplingParams.Greedy, 5)));
        var expected = FakeBackend.NextToken([.. sequence.Tokens, 7]);

        _backend.OnStep = _ => throw new InvalidOperationException("broken");
        var failed = engine.Generate(sequence, [7], SamplingParams.Greedy, 5);
        var failure = await Assert.ThrowsAsync<EngineException>(() => CountTokens(failed));
        Assert.Equal(EngineFailure.StepFailed, failure.Failure);
        Assert.True(failure.IsRetryable);
        Assert.Equal(0, engine.Statistics.PagesUsed);

        _backend.OnStep = null;
        await engine.TruncateAsync(sequence, sequence.Length - 1);
        var next = engine.Generate(sequence, [7], SamplingParams.Greedy, 1);
        Assert.Equal(1, await CountTokens(next));
        Assert.Equal(expected, sequence.Tokens[^1]);
    }

    [Fact]
    public async Task ALostDeviceEndsTheEngine()
    {
        using var engine = Start(new());
        _backend.IsUsable = false;
        var cause = new InvalidOperationException("the device fell off the bus");
        _backend.OnStep = _ => throw cause;
        var failed = engine.Generate(new Sequence("a"), [1, 2, 3], SamplingParams.Greedy, 5);
        Assert.True((await Assert.ThrowsAsync<EngineException>(() => CountTokens(failed))).IsRetryable);
        Assert.Same(cause, await engine.Lost);
        Assert.Equal(EngineFailure.Stopping, Assert.Throws<EngineException>(() => engine.Generate(new Sequence("a"), [1], SamplingParams.Greedy, 5)).Failure);
    }

    [Fact]
    public void MoreGenerationsThanTheLimitAreRefused()
    {
        using var entered = new SemaphoreSlim(0);
        using var gate = new ManualResetEventSlim();
        _backend.OnStep = _ => { entered.Release(); gate.Wait(); };
        using var engine = Start(new() { MaxBatch = 1, MaxWaiting = 1 });
        engine.Generate(new Sequence("a"), [1], SamplingParams.Greedy, 5);
        engine.Generate(new Sequence("a"), [1], SamplingParams.Greedy, 5);
        var refused = Assert.Throws<EngineException>(() => engine.Generate(new Sequence("a"), [1], SamplingParams.Greedy, 5));
        Assert.Equal(EngineFailure.Overloaded, refused.Failure);
        gate.Set();
    }

    [Fact]
    public async Task StoppingFailsWhatRuns()
    {
        var engine = Start(new() { EventBuffer = 4 });
        var generation = engine.Generate(new Sequence("a"), [1], SamplingParams.Greedy, 300);
        engine.Dispose();
        var failure = await Assert.ThrowsAsync<EngineException>(() => CountTokens(generation));
        Assert.Equal(EngineFailure.Stopping, failure.Failure);
        Assert.Throws<EngineException>(() => engine.Generate(new Sequence("a"), [1], SamplingParams.Greedy, 5));
    }

    [Fact]
    public void APromptBeyondTheWindowIsRefusedWithNumbers()
    {
        using var engine = Start(new() { ContextLength = 100 });
        var refused = Assert.Throws<EngineException>(() => engine.Generate(new Sequence("a"), new int[100], SamplingParams.Greedy, 1));
        Assert.Equal(EngineFailure.ContextExceeded, refused.Failure);
        Assert.Contains("100", refused.Message);
    }

    [Theory]
    [InlineData("context", 100_000, 0, 1)]
    [InlineData("kv-tokens", 512, 64, 1)]
    [InlineData("max-batch", 512, 0, 0)]
    public void OptionsThatCannotWorkAreRefusedByName(string option, int context, int kvTokens, int maxBatch)
    {
        var refused = Assert.Throws<ArgumentException>(() => Start(new() { ContextLength = context, KvTokens = kvTokens, MaxBatch = maxBatch }));
        Assert.StartsWith(option, refused.Message);
    }

    private Engine Start(EngineOptions options) => new(_backend, _model.Config, _model.Weights, _model.Tokenizer.EndTokens, options);

    private static async Task<int> CountTokens(Generation generation)
    {
        var count = 0;
        while (await generation.WaitAsync())
            while (generation.TryRead(out var next))
            {
                if (next.Kind == TokenEventKind.Failed) throw next.Error!;
                if (next.Kind == TokenEventKind.Token) count++;
            }
        return count;
    }

    public void Dispose()
    {
        _model.Dispose();
        _file.Dispose();
    }
}
