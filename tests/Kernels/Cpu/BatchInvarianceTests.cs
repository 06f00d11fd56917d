using System.Runtime.InteropServices;
using LServe.Cpu;
using LServe.Inference;
using LServe.Model;
using LServe.Tests.Support;

namespace LServe.Tests.Kernels.Cpu;

/// <summary>A row's logits are bit for bit the same whatever runs beside it, at every width.</summary>
public sealed class BatchInvarianceTests
{
    private const int Longest = 330, Sequences = 16, NewTokens = 3;

    public static TheoryData<SimdLevel, TensorType> Combinations => Fixture.LevelsWith(TensorType.F32, TensorType.Q4_1, TensorType.Q8_0, TensorType.Q5_0);

    [Theory, MemberData(nameof(Combinations))]
    public void Alone_in_a_ragged_batch_in_chunks_and_on_any_threads(SimdLevel level, TensorType type) => Check(level, type, Activations.Float32);

    public static TheoryData<SimdLevel, TensorType> Int8Combinations => Fixture.LevelsWith(TensorType.Q4_0, TensorType.Q4_1, TensorType.Q8_0);

    [Theory, MemberData(nameof(Int8Combinations))]
    public void So_with_8_bit_activations(SimdLevel level, TensorType type) => Check(level, type, Activations.Int8);

    private static void Check(SimdLevel level, TensorType type, Activations activations)
    {
        var options = new CpuOptions { Level = level, Activations = activations };
        var seed = Fixture.NewSeed();
        using var file = TinyFile(type, seed);
        using var model = ModelFile.Open(file.Path);
        var prompts = Prompts(new Random(seed), model.Config.VocabularySize);
        var alone = prompts.Select(p => Alone(model, options with { Threads = 2 }, p, chunk: ModelRun.MaxRows)).ToArray();
        var batch = Batch(model, options with { Threads = 3 }, prompts);
        for (var i = 0; i < prompts.Length; i++) AssertSame(alone[i], batch[i], $"sequence {i} of {prompts[i].Length} tokens in a batch, seed {seed}");
        foreach (var (chunk, threads) in new[] { (1, 1), (7, 1), (64, 3), (129, 2) })
            AssertSame(alone[0], Alone(model, options with { Threads = threads }, prompts[0], chunk), $"chunks of {chunk}, {threads} threads, seed {seed}");
    }

    public static TheoryData<SimdLevel> Levels => Fixture.Levels;

    [Theory, MemberData(nameof(Levels))]
    public void A_decode_step_gives_the_bits_of_a_prompt_s_row(SimdLevel level)
    {
        foreach (var activations in Enum.GetValues<Activations>()) CheckDecode(new() { Level = level, Activations = activations });
    }

    private static void CheckDecode(CpuOptions options)
    {
        var seed = Fixture.NewSeed();
        using var file = TinyFile(TensorType.Q4_1, seed);
        using var model = ModelFile.Open(file.Path);
        var prompt = Prompts(new Random(seed), model.Config.VocabularySize)[0];
        using var run = new ModelRun(new CpuBackend(options), model.Config, model.Weights, KvPrecision.F16, 12);
        var asPrompt = run.Prefill(run.Table(Longest), prompt, LogitChoice.All);
        var table = run.Table(Longest);
        for (var i = 0; i < prompt.Length; i++) AssertSame([asPrompt[i]], [run.Decode(table, i, prompt[i])], $"position {i}, seed {seed}");
    }

    private static TemporaryFile TinyFile(TensorType type, int seed) =>
        new(TinyModel.Bytes(new() { Seed = seed, MatrixType = type, HiddenSize = 192, QueryHeads = 6, KvHeads = 2, FeedForwardSize = 320 }));

    /// <summary>The first is the longest; the others have any length.</summary>
    private static int[][] Prompts(Random random, int vocabulary) =>
        [.. Enumerable.Range(0, Sequences).Select(i => Enumerable.Range(0, i == 0 ? Longest - NewTokens : random.Next(1, Longest - NewTokens))
            .Select(_ => random.Next(vocabulary)).ToArray())];

    private static float[][] Alone(ModelFile model, CpuOptions options, int[] prompt, int chunk)
    {
        using var run = new ModelRun(new CpuBackend(options), model.Config, model.Weights, KvPrecision.F16, 6);
        var table = run.Table(Longest);
        var logits = new List<float[]> { run.Prefill(table, prompt, LogitChoice.Last, chunk)[0] };
        for (var i = 0; i < NewTokens; i++) logits.Add(run.Decode(table, prompt.Length + i, LogitMath.Best(logits[^1])));
        return [.. logits];
    }

    /// <summary>Sequences enter one by one while those before them decode, until all decode together.</summary>
    private static float[][][] Batch(ModelFile model, CpuOptions options, int[][] prompts)
    {
        using var run = new ModelRun(new CpuBackend(options), model.Config, model.Weights, KvPrecision.F16, 6 * prompts.Length);
        var tables = prompts.Select(_ => run.Table(Longest)).ToArray();
        var logits = prompts.Select(_ => new List<float[]>()).ToArray();
        for (var step = 0; step < prompts.Length + NewTokens; step++)
        {
            var decoding = Enumerable.Range(0, Math.Min(step, prompts.Length)).Where(i => logits[i].Count <= NewTokens).ToArray();
            var rows = run.Step(plan =>
            {
                foreach (var i in decoding) plan.AddDecode(tables[i], prompts[i].Length + logits[i].Count - 1, LogitMath.Best(logits[i][^1]), true);
                if (step < prompts.Length) plan.AddPrefill(tables[step], 0, prompts[step], LogitChoice.Last);
            });
            for (var i = 0; i < decoding.Length; i++) logits[decoding[i]].Add(rows[i]);
            if (step < prompts.Length) logits[step].Add(rows[^1]);
        }
        return [.. logits.Select(l => l.ToArray())];
    }

    private static void AssertSame(float[][] expected, float[][] actual, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
            Assert.True(
                MemoryMarshal.AsBytes<float>(expected[i]).SequenceEqual(MemoryMarshal.AsBytes<float>(actual[i])),
                $"{what}: logits {i} differ by {LogitMath.LargestDifference(expected[i], actual[i])}");
    }
}
