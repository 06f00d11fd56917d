using LServe.Model;
using LServe.Tests.Support;

namespace LServe.Tests.Unit.Model;

/// <summary>
/// Random models of every architecture and format, opened and computed, against Hugging Face's logits: a wrong scaling of positions, a
/// forgotten bias or a permuted matrix shows here.
/// </summary>
public class ReferenceLogitsTests
{
    private const double Tolerance = 1e-4;

    [Theory]
    [InlineData("llama2")]
    [InlineData("llama31")]
    [InlineData("llama-linear")]
    [InlineData("mistral")]
    [InlineData("qwen2")]
    [InlineData("qwen2-yarn")]
    [InlineData("qwen3")]
    [InlineData("llama2-gguf-f32")]
    [InlineData("llama2-gguf-mixed")]
    public void Logits_equal_the_reference(string name)
    {
        var folder = RepositoryFiles.Reference("tiny", name);
        var file = Path.Combine(folder, "model.gguf");
        using var model = ModelFile.Open(File.Exists(file) ? file : folder);
        Check(model, name);
    }

    [Theory]
    [InlineData("llama31")]
    [InlineData("llama-linear")]
    [InlineData("qwen2")]
    [InlineData("qwen2-yarn")]
    [InlineData("qwen3")]
    public void Logits_equal_the_reference_after_conversion_to_GGUF(string name)
    {
        using var folder = ModelFile.Open(RepositoryFiles.Reference("tiny", name));
        using var file = new TemporaryFile(GgufConversion.Convert(folder, (writer, config) => AddScaling(writer, config, name)));
        using var model = ModelFile.Open(file.Path);
        Assert.Equal(config(folder), config(model));
        Check(model, name);

        static ModelConfig config(ModelFile model) => model.Config with { Name = "", Rope = null! };
    }

    private static void AddScaling(GgufWriter writer, ModelConfig config, string name)
    {
        var rope = config.Architecture + ".rope.";
        writer.Add(rope + "freq_base", name == "llama31" ? 500_000f : name == "llama-linear" ? 10_000f : 1_000_000f);
        if (name == "llama-linear") writer.Add(rope + "scaling.type", "linear").Add(rope + "scaling.factor", 2f);
        if (name == "qwen2-yarn")
            writer.Add(rope + "scaling.type", "yarn").Add(rope + "scaling.factor", 4f).Add(rope + "scaling.original_context_length", 64u);
        if (name != "llama31") return;
        var divisors = config.Rope.InverseFrequencies.Select((f, i) => (float)(Math.Pow(500_000, -2.0 * i / config.HeadDim) / f));
        writer.AddTensor("rope_freqs.weight", (uint)TensorType.F32, [(ulong)config.HeadDim / 2], [.. divisors.SelectMany(BitConverter.GetBytes)]);
    }

    private static void Check(ModelFile model, string name)
    {
        var cases = ReferenceTensors.Open(RepositoryFiles.Reference("tiny", name, "cases.safetensors"));
        for (var n = 0; n < 3; n++)
        {
            var expected = cases.Floats($"logits.{n}");
            using var run = new ReferenceRun(model);
            var actual = run.Prefill(cases.Ints($"ids.{n}"));
            Assert.InRange(RelativeError(expected, actual[^expected.Length..]), 0, Tolerance);
        }
    }

    /// <summary>Norm of the difference ÷ norm of the reference.</summary>
    private static double RelativeError(float[] expected, float[] actual) =>
        Math.Sqrt(expected.Zip(actual, (e, a) => Math.Pow((double)a - e, 2)).Sum() / expected.Sum(e => (double)e * e));
}
