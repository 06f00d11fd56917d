using LServe.Model;
using LServe.Tests.Support;

namespace LServe.Tests.Unit.Model;

public class HeadPatternFolderTests : IDisposable
{
    private const string Gates = "full_attention_heads.tsv", Config = "config.json", Centres = "centres.safetensors";
    private readonly string _folder = Directory.CreateTempSubdirectory("pattern-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [TheoryWithHeadPatterns]
    [InlineData("Llama-3-8B-Instruct-Gradient-1048k", 32, 8, "7 7 6 6 6 4 6 4 2 4 3 5 6 2 3 3 3 2 5 3 2 5 5 2 4 4 5 4 2 3 0 5")]
    [InlineData("Llama-2-7B-32K-Instruct", 32, 32, null)]
    [InlineData("Meta-Llama-3.1-8B-Instruct", 32, 8, null)]
    [InlineData("Mistral-7B-Instruct-v0.2", 32, 8, null)]
    public void Published_patterns_are_read(string name, int layers, int kvHeads, string? streaming)
    {
        var pattern = HeadPatternFolder.Open(Path.Combine(PublishedHeadPatterns.Folder!, name));
        Assert.Equal((layers, kvHeads, 0.5), (pattern.Layers, pattern.KvHeads, pattern.Share));
        Assert.True(pattern is { Sink: > 0, Local: > 0, Centres: null });
        var counts = pattern.Streams().Select(layer => layer.Count(s => s)).ToArray();
        Assert.Equal(layers * kvHeads / 2, counts.Sum());
        if (streaming is not null) Assert.Equal(streaming, string.Join(' ', counts));
    }

    [Fact]
    public void What_is_saved_is_read_back()
    {
        var pattern = Small();
        HeadPatternFolder.Save(_folder, pattern);
        var read = HeadPatternFolder.Open(_folder);
        Assert.Equal(pattern.Gates, read.Gates);
        Assert.Equal(pattern.Centres, read.Centres);
        Assert.Equal((pattern.Share, pattern.Sink, pattern.Local), (read.Share, read.Sink, read.Local));
        Assert.Equal([3, 2, 4], ReferenceTensors.Open(Path.Combine(_folder, Centres)).Shape("centres"));
    }

    [Fact]
    public void A_pattern_without_centres_has_none()
    {
        HeadPatternFolder.Save(_folder, Small());
        HeadPatternFolder.Save(_folder, Small() with { Centres = null });
        Assert.Null(HeadPatternFolder.Open(_folder).Centres);
    }

    [Theory]
    [InlineData(Gates, "0.5\t0.25\n0.5\n", "line 2")]
    [InlineData(Gates, "0.5\t0.25\n0.5\tnan\n", "line 2, column 2")]
    [InlineData(Gates, "0.5\tInfinity\n", "line 1, column 2")]
    [InlineData(Gates, "0.5\t0,25\n", "line 1, column 2")]
    [InlineData(Gates, "0.5 0.25\n", "line 1, column 1")]
    [InlineData(Gates, "0.5\n\n0.5\n", "line 2, column 1")]
    [InlineData(Gates, "", "file")]
    [InlineData(Gates, "1\t1\n1\t1\n", "tensor centres")]
    [InlineData(Config, "{\"recent_size\": 256}", "sink_size")]
    [InlineData(Config, "{\"sink_size\": 64}", "recent_size")]
    [InlineData(Config, "{\"sink_size\": -1, \"recent_size\": 256}", "sink_size")]
    [InlineData(Config, "{\"sink_size\": 64, \"recent_size\": 0}", "recent_size")]
    [InlineData(Config, "{\"sink_size\": 64, \"recent_size\": \"256\"}", "recent_size")]
    [InlineData(Config, "{\"sink_size\": 64, \"recent_size\": 256, \"share\": 1.5}", "share")]
    [InlineData(Config, "{\"sink_size\": 64,", "JSON")]
    [InlineData(Config, "[64, 256]", "JSON")]
    [InlineData(Centres, "no tensors here", "header")]
    public void A_damaged_file_names_itself_and_the_field(string file, string content, string field)
    {
        HeadPatternFolder.Save(_folder, Small());
        File.WriteAllText(Path.Combine(_folder, file), content);
        var error = Assert.Throws<ModelFileException>(() => HeadPatternFolder.Open(_folder));
        Assert.Contains(field, error.Field);
        Assert.Equal(_folder, Path.GetDirectoryName(error.File));
    }

    [Theory]
    [InlineData(Gates)]
    [InlineData(Config)]
    public void A_missing_file_is_named(string file)
    {
        HeadPatternFolder.Save(_folder, Small());
        File.Delete(Path.Combine(_folder, file));
        Assert.Equal(Path.Combine(_folder, file), Assert.Throws<ModelFileException>(() => HeadPatternFolder.Open(_folder)).File);
    }

    [Fact]
    public void A_centre_that_is_no_number_is_refused()
    {
        HeadPatternFolder.Save(_folder, Small() with { Centres = [.. Enumerable.Repeat(0f, 23), float.NaN] });
        Assert.Contains("centres", Assert.Throws<ModelFileException>(() => HeadPatternFolder.Open(_folder)).Field);
    }

    [Fact]
    public void A_pattern_for_another_model_is_refused()
    {
        using var model = ModelFile.Open(RepositoryFiles.Reference("tiny", "llama2"));
        var right = Small(model.Config.Layers, model.Config.KvHeads, model.Config.HeadDim);
        HeadPatternFolder.Save(_folder, right);
        Assert.Equal(right.Gates, HeadPatternFolder.Open(_folder, model.Config).Gates);
        HeadPatternFolder.Save(_folder, Small(model.Config.Layers + 1, model.Config.KvHeads, model.Config.HeadDim));
        Assert.Contains("calibrate", Assert.Throws<ModelFileException>(() => HeadPatternFolder.Open(_folder, model.Config)).Message);
        HeadPatternFolder.Save(_folder, Small(model.Config.Layers, model.Config.KvHeads, model.Config.HeadDim / 2));
        Assert.Contains("centres", Assert.Throws<ModelFileException>(() => HeadPatternFolder.Open(_folder, model.Config)).Field);
    }

    private static HeadPattern Small(int layers = 3, int kvHeads = 2, int dim = 4) => new()
    {
        Gates = [.. Enumerable.Range(0, layers).Select(l => Enumerable.Range(0, kvHeads).Select(h => (l * kvHeads + h) / 7f).ToArray())],
        Share = 0.25,
        Sink = 32,
        Local = 96,
        Centres = [.. Enumerable.Range(0, layers * kvHeads * dim).Select(i => i / 3f)],
    };
}
