using LServe.Cuda.Driver;
using LServe.Eval;
using LServe.Model;

if (args is [] or ["--help" or "-h", ..])
{
    Console.WriteLine(EvalOptions.Usage);
    return 0;
}
try
{
    var options = EvalOptions.Parse(args);
    if (options.Task == "list")
    {
        foreach (var setting in SettingList.All) Console.WriteLine($"{setting.Name,-28} {SettingText.Of(setting)}");
        return 0;
    }
    if (options.Task == "report")
    {
        Evaluation.Report(options.Out);
        return 0;
    }
    using var evaluation = new Evaluation(options);
    evaluation.Run();
    return 0;
}
catch (Exception e) when (e is FormatException or ArgumentException or CudaUnavailableException or NotSupportedException or OverflowException or ModelFileException or IOException)
{
    Console.Error.WriteLine($"lserve eval: {e.Message}");
    return 2;
}
