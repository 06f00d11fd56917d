using System.Text.Json;
using LServe.Eval;
using LServe.Inference;
using LServe.Model;
using LServe.Tests.Support;

namespace LServe.Tests.Unit.Eval;

/// <summary>The whole evaluation on a tiny model and a few tokens.</summary>
public class EvaluationTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("eval-").FullName;

    public EvaluationTests()
    {
        var random = new Random(3);
        foreach (var name in new[] { "a", "b" })
            File.WriteAllText(Path.Combine(_folder, name + ".txt"), string.Join(' ', Enumerable.Range(0, 400).Select(_ => random.Next(1000))));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Dense_decode_steps_agree_with_the_dense_pass()
    {
        Run("divergence", "dense");
        var row = Results("divergence").GetProperty("dense");
        Assert.Equal(2 * (160 - 64), row.GetProperty("Positions").GetInt32());
        Assert.InRange(row.GetProperty("Top1").GetDouble(), 0.98, 1);
        Assert.InRange(row.GetProperty("Divergence").GetDouble(), -1e-5, 1e-4);
        Assert.Contains("| dense |", File.ReadAllText(Path.Combine(_folder, "divergence.md")));
    }

    [Fact]
    public void What_attention_loses_is_nothing_when_dense_and_something_when_heads_stream()
    {
        Run("divergence", "dense,local-128", "--length", "260", "--pattern", Pattern());
        var (dense, local) = (Results("divergence").GetProperty("dense"), Results("divergence").GetProperty("local-128"));
        Assert.InRange(dense.GetProperty("OutputError").GetDouble(), 0, 1e-6);
        Assert.InRange(dense.GetProperty("Mass").GetDouble(), 1 - 1e-5, 1 + 1e-5);
        Assert.InRange(local.GetProperty("OutputError").GetDouble(), 1e-3, 1);
        Assert.InRange(local.GetProperty("Mass").GetDouble(), 0.3, 1 - 1e-4);
        Assert.InRange(local.GetProperty("RetrievalMass").GetDouble(), 1 - 1e-5, 1 + 1e-5);
    }

    [Fact]
    public void Rows_that_are_there_are_not_run_again()
    {
        Run("divergence", "dense");
        var before = Results("divergence").GetProperty("dense").GetRawText();
        Run("divergence", "dense");
        Assert.Equal(before, Results("divergence").GetProperty("dense").GetRawText());
    }

    [Fact]
    public void Results_of_other_texts_are_not_continued()
    {
        Run("divergence", "dense");
        Assert.Contains("move it away", Assert.Throws<ArgumentException>(() => Run("divergence", "dense", "--prompt", "32")).Message);
    }

    [Fact]
    public void Needle_trials_are_continued_where_they_stopped()
    {
        Run("needles", "dense", "--trials", "1");
        var first = Found();
        Run("needles", "dense", "--trials", "3");
        Assert.Equal(3, Found().Length);
        Assert.StartsWith(first, Found());

        string Found() => Results("needles").GetProperty("Single dense 150").GetProperty("Found").GetString()!;
    }

    [Fact]
    public void Rows_find_together_what_they_find_alone()
    {
        Run("needles", "dense-int8", "--trials", "3");
        var alone = Results("needles").GetProperty("Single dense-int8 150").GetProperty("Found").GetString();
        File.Delete(Path.Combine(_folder, "needles.json"));
        Run("needles", "dense,dense-int8", "--trials", "2");
        Run("needles", "dense-int8,dense,dense-int4", "--trials", "3");
        Assert.Equal(alone, Results("needles").GetProperty("Single dense-int8 150").GetProperty("Found").GetString());
    }

    [Fact]
    public void Prompts_are_shared_by_settings_that_differ_in_what_reads_them_alone()
    {
        var normal = SettingList.Named(["default"])[0];
        foreach (var same in SettingList.Named(["policy-moments", "budget-256", "renewal-1", "candidates-4", "sketch-2"])) Assert.True(same.PromptsAs(normal, 7600), same.Name);
        foreach (var other in SettingList.Named(["dense", "policy-quest", "policy-all", "kv-int4", "local-256", "share-25", "kv-int8-uncentred"])) Assert.False(other.PromptsAs(normal, 7600), other.Name);
        Assert.False(SettingList.Named(["budget-256"])[0].PromptsAs(normal, 10_000));
    }

    [Fact]
    public void A_run_goes_on_from_the_prompt_of_another_as_from_its_own()
    {
        using var model = ModelFile.Open(RepositoryFiles.Reference("tiny", "llama2"));
        var options = EvalOptions.Parse(["needles", "--threads", "1"]);
        var settings = new[] { SelectionPolicy.TwoStage, SelectionPolicy.Moments }
            .Select(policy => new Setting(policy.ToString(), KvPrecision.Int8, new() { Policy = policy, Budget = 192, Candidates = 1, Sink = 16, Local = 64 }) { Share = 0 }).ToArray();
        Assert.True(settings[0].PromptsAs(settings[1], 400));
        using ModelRun first = new(model, settings[0], null, 1, 440, options), other = new(model, settings[1], null, 1, 440, options), alone = new(model, settings[1], null, 1, 440, options);
        var prompt = Enumerable.Range(0, 401).Select(i => i * 37 % 256).ToArray();
        first.Prefill(0, prompt);
        other.Adopt(first, 0);
        alone.Prefill(0, prompt);
        for (var token = 0; token < 30; token++) Assert.Equal(alone.Decode([token]).ToArray(), other.Decode([token]).ToArray());
    }

    [Theory]
    [InlineData(NeedleKind.Single)]
    [InlineData(NeedleKind.MultiKey)]
    [InlineData(NeedleKind.Variables)]
    [InlineData(NeedleKind.Passkey)]
    [InlineData(NeedleKind.MultiValue)]
    [InlineData(NeedleKind.MultiQuery)]
    internal void A_prompt_has_its_length_and_its_answer_once_or_as_often_as_said(NeedleKind kind)
    {
        using var model = ModelFile.Open(RepositoryFiles.BundledModel);
        var prompts = new NeedlePrompts(model.Tokenizer, TextSet.Read(_folder, model.Tokenizer), kind, 500, 1);
        for (var trial = 0; trial < 12; trial++)
        {
            var (prompt, answers) = prompts.Make(trial);
            Assert.Equal(500, prompt.Length);
            Assert.Equal(kind.Answers(), answers.Count);
            Assert.All(answers, code => Assert.Equal(7, code.Length));
            Assert.All(answers, code => Assert.Equal(kind == NeedleKind.Passkey ? 3 : 2, model.Tokenizer.Decode(prompt).Split(code).Length));
        }
        Assert.Equal(prompts.Make(3).Prompt, prompts.Make(3).Prompt);
        Assert.NotEqual(prompts.Make(3).Prompt, prompts.Make(4).Prompt);
    }

    [Theory]
    [InlineData(NeedleKind.CommonWords)]
    [InlineData(NeedleKind.FrequentWords)]
    internal void Of_a_list_s_words_those_that_are_asked_for_come_most_often(NeedleKind kind)
    {
        using var model = ModelFile.Open(RepositoryFiles.BundledModel);
        File.WriteAllText(Path.Combine(_folder, "words.txt"), string.Join(' ', Enumerable.Range(0, 2000).Select(i => "w" + string.Concat(i.ToString("D4").Select(c => (char)('a' + c - '0'))))));
        var prompts = new NeedlePrompts(model.Tokenizer, TextSet.Read(_folder, model.Tokenizer), kind, 3000, 1);
        for (var trial = 0; trial < 3; trial++)
        {
            var (prompt, answers) = prompts.Make(trial);
            Assert.Equal(3000, prompt.Length);
            var words = model.Tokenizer.Decode(prompt).Split([' ', '\n']).Where(word => word.Length == 5 && word[0] == 'w').CountBy(word => word);
            Assert.Equal(answers.Order(), words.OrderByDescending(w => w.Value).Take(kind.Answers()).Select(w => w.Key).Order());
        }
    }

    [Theory]
    [InlineData("divergence", "--rows", "fast")]
    [InlineData("divergence", "--count", "9")]
    [InlineData("needles", "--lengths", "150000")]
    public void What_cannot_be_is_refused(string task, string option, string value) =>
        Assert.Throws<ArgumentException>(() => Run(task, "dense", option, value));

    [Fact]
    public void A_paired_bound_knows_pairs()
    {
        double[] dense = [.. Enumerable.Range(0, 100).Select(i => i % 10 != 0 ? 1.0 : 0)];
        Assert.Equal((0, 0, 0), PairedBound.Of(dense, dense));
        double[] worse = [.. dense.Select((d, i) => i % 10 != 1 ? d : 0)];
        var (mean, lower, upper) = PairedBound.Of(dense, worse);
        Assert.Equal(-0.1, mean, 9);
        // A binomial of 100 draws at 0.1 has 95 % of its mass in 5 … 16.
        Assert.InRange(lower, -0.17, -0.15);
        Assert.InRange(upper, -0.06, -0.03);
    }

    /// <summary>Of the tiny model: the first head of each layer streams.</summary>
    private string Pattern()
    {
        var folder = Directory.CreateDirectory(Path.Combine(_folder, "pattern")).FullName;
        File.WriteAllText(Path.Combine(folder, "full_attention_heads.tsv"), "0.1\t0.9\n0.1\t0.9\n0.1\t0.9\n");
        File.WriteAllText(Path.Combine(folder, "config.json"), """{"sink_size": 64, "recent_size": 128, "share": 0.5}""");
        return folder;
    }

    private void Run(string task, string rows, params string[] more)
    {
        using var evaluation = new Evaluation(EvalOptions.Parse(
            [task, "--texts", _folder, "--model", RepositoryFiles.Reference("tiny", "llama2"), "--out", _folder, "--cache", _folder, "--rows", rows,
             "--count", "2", "--length", "160", "--prompt", "64", "--lengths", "150", "--trials", "2", "--threads", "1", .. more]));
        evaluation.Run();
    }

    private JsonElement Results(string task)
    {
        using var document = JsonDocument.Parse(File.ReadAllText(Path.Combine(_folder, task + ".json")));
        return document.RootElement.GetProperty("results").Clone();
    }
}
