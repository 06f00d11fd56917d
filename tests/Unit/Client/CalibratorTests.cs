using LServe.Cli.Calibration;
using LServe.Model;
using LServe.Tests.Support;

namespace LServe.Tests.Unit.Client;

public class CalibratorTests
{
    private static readonly CalibrationOptions Small = new() { Prompts = 2, Tokens = 96, Sink = 4, AblationLocal = 16, Local = 32, Threads = 1 };

    [Fact]
    public void The_same_seed_makes_the_same_pattern_on_any_number_of_threads()
    {
        var (first, losses) = Run(Small);
        var (again, _) = Run(Small with { Threads = 2 });
        Assert.Equal(first.Gates, again.Gates);
        Assert.Equal(first.Centres, again.Centres);
        Assert.NotEqual(first.Centres, Run(Small with { Seed = 2 }).Pattern.Centres);
        Assert.Contains(losses.SelectMany(l => l), loss => Math.Abs(loss) > 1e-5);
        Assert.Equal((4, 32), (first.Sink, first.Local));
    }

    [Fact]
    public void A_head_that_sees_all_tokens_loses_nothing() =>
        Assert.All(Run(Small with { AblationLocal = 10_000, Tokens = 96 }).Losses.SelectMany(l => l), loss => Assert.InRange(loss, -1e-4, 1e-4));

    [Fact]
    public void The_quick_start_counts_the_attention_that_would_be_lost()
    {
        Assert.All(Run(Small with { Quick = true }).Losses.SelectMany(l => l), mass => Assert.InRange(mass, 0.1, 0.99));
        Assert.All(Run(Small with { Quick = true, AblationLocal = 10_000 }).Losses.SelectMany(l => l), mass => Assert.Equal(0, mass));
    }

    [Fact]
    public void Gates_are_the_ranks_of_the_losses() =>
        Assert.Equal([[1f, 0f], [1 / 3f, 2 / 3f]], Calibrator.Ranks([[9, -1], [0.5, 0.75]]));

    [Fact]
    public void Answers_are_what_the_text_said()
    {
        using var model = ModelFile.Open(RepositoryFiles.BundledModel);
        var prompt = new PromptGenerator(model.Tokenizer, 5).Next(700, 320);
        var text = model.Tokenizer.Decode(prompt.Tokens);
        var answers = prompt.AnswerRows.Select(row => model.Tokenizer.Decode(prompt.Tokens.AsSpan(row + 1, 1))).Aggregate("", string.Concat);
        var codes = answers.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(4, codes.Length);
        Assert.All(codes, code => Assert.Equal(2, text.Split($" is {code}").Length - 1));
        Assert.All(prompt.TextRows, row => Assert.InRange(row, 320, prompt.AnswerRows[0]));
    }

    private static (HeadPattern Pattern, double[][] Losses) Run(CalibrationOptions options)
    {
        using var model = ModelFile.Open(RepositoryFiles.Reference("tiny", "llama2"));
        using var calibrator = new Calibrator(model, options);
        return calibrator.Run(new Progress<float>(), CancellationToken.None);
    }
}
