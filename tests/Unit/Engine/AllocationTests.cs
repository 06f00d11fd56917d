using LServe.Cpu;
using LServe.Inference;
using LServe.Model;
using LServe.Tests.Support;

namespace LServe.Tests.Unit.Inference;

public sealed class AllocationTests
{
    /// <summary>
    /// Steps that open a page or start a turn may allocate; the others, by far the most, must not: a median of zero with few exceptions.
    /// </summary>
    [Theory]
    [InlineData(0.0f)]
    [InlineData(0.8f)]
    public async Task SteadyDecodingAllocatesNothing(float temperature)
    {
        using var file = new TemporaryFile(TinyModel.Bytes());
        using var model = ModelFile.Open(file.Path);
        var measured = new StepAllocations(new CpuBackend(new() { Threads = 2 }), capacity: 1000);
        using var engine = new Engine(measured, model.Config, model.Weights, model.Tokenizer.EndTokens, new());
        var sampling = new SamplingParams { Temperature = temperature, TopP = 0.9f, Seed = 1, IgnoreEnd = true };
        await Task.WhenAll(Enumerable.Range(0, 4).Select(i => Drain(engine.Generate(new Sequence("t"), [5, 6, 7 + i], sampling, 400))));

        var steady = measured.PerStep.Skip(100).ToArray();
        Assert.True(steady.Length >= 200);
        var allocating = steady.Where(bytes => bytes != 0).ToArray();
        Assert.True(allocating.Length <= steady.Length / 20, $"{allocating.Length} of {steady.Length} steps allocated: {string.Join(' ', allocating.Take(20))}");
    }

    private static async Task Drain(Generation generation)
    {
        while (await generation.WaitAsync())
            while (generation.TryRead(out _)) { }
    }
}
