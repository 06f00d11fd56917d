using LServe.Contracts;
using LServe.Model;
using LServe.Tests.Support;

namespace LServe.Tests.Contracts;

/// <summary>Sessions that are copied and moved: with their pages, and with nothing believed that a file says.</summary>
public sealed class SessionFileTests : IDisposable
{
    private static readonly SessionKey s_key = new("t", "s");
    private static readonly string[] s_says = ["one " + new string('x', 90), "two", "three " + new string('y', 70), "four"];

    private readonly TemporaryFile _file = new(TinyModel.Bytes());
    private readonly TemporaryFolder _folder = new();
    private readonly ModelFile _model;

    public SessionFileTests() => _model = ModelFile.Open(_file.Path);

    public void Dispose()
    {
        _model.Dispose();
        _file.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AForkTakesThePagesOfItsTurnAlong(bool sparse)
    {
        var expected = await UndisturbedAsync(sparse);
        await SayAllAsync(sparse, until: 3);
        await using var run = Start(sparse);
        await run.Host.ForkAsync(s_key, new("t", "early"), 2);
        await run.Host.DeleteAsync(s_key);

        var (text, usage) = await run.SayAsync(s_says[2], "early");
        Assert.Equal((expected[2].Text, expected[1].Usage.SessionTokens - 1, 0), (text, usage.RestoredTokens, usage.RecomputedTokens));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AnExportTakesThePagesAlongToAnotherFolder(bool sparse)
    {
        var expected = await UndisturbedAsync(sparse);
        await SayAllAsync(sparse, until: 3);
        using var file = new MemoryStream();
        await using (var run = Start(sparse))
        {
            await run.Host.ExportAsync(s_key, withPages: true, file);
            await run.Host.DeleteAsync(s_key);
        }
        file.Position = 0;
        await using var other = Start(sparse);
        await other.Host.ImportAsync("t", null, file);

        var (text, usage) = await other.SayAsync(s_says[3]);
        Assert.Equal((expected[3].Text, expected[2].Usage.SessionTokens - 1, 0), (text, usage.RestoredTokens, usage.RecomputedTokens));
    }

    [Fact]
    public async Task AFileWithOneWrongByteIsRefusedOrSaysWhatWasSaid()
    {
        var expected = await UndisturbedAsync(sparse: true);
        await SayAllAsync(sparse: true, until: 2);
        await using var run = Start(sparse: true);
        using var file = new MemoryStream();
        await run.Host.ExportAsync(s_key, withPages: true, file);
        var (whole, random, refused) = (file.ToArray(), new Random(5), 0);
        for (var i = 0; i < 200; i++)
        {
            var damaged = (byte[])whole.Clone();
            damaged[random.Next(whole.Length)] ^= (byte)(1 << random.Next(8));
            try
            {
                await run.Host.ImportAsync("t", "copy", new MemoryStream(damaged));
                // The transcript may be edited; what was edited needn't be what was said, but harms nobody.
                await run.SayAsync(s_says[2], "copy");
            }
            catch (LServeException)
            {
                refused++;
            }
            await run.Host.DeleteAsync(new("t", "copy"));
        }
        Assert.InRange(refused, 50, 200);
        Assert.Equal(expected[2].Text, (await run.SayAsync(s_says[2])).Text);
        await Assert.ThrowsAsync<LServeException>(async () => await run.Host.ImportAsync("t", "cut", new MemoryStream(whole[..^1])));
    }

    private StoredRun Start(bool sparse) => new(_folder.Path, _model, sparse);

    private async Task<List<(string Text, TurnUsage Usage)>> UndisturbedAsync(bool sparse)
    {
        await using var run = Start(sparse);
        var answers = new List<(string, TurnUsage)>();
        foreach (var text in s_says) answers.Add(await run.SayAsync(text));
        await run.Host.DeleteAsync(s_key);
        return answers;
    }

    private async Task SayAllAsync(bool sparse, int until)
    {
        await using var run = Start(sparse);
        foreach (var text in s_says[..until]) await run.SayAsync(text);
    }
}
